"""A run as the training script holds it: `log`, `config`, `summary`, `finish`."""

from __future__ import annotations

import os
import time

from besom.client.config import Config, ConfigState
from besom.client.definitions import Definition, Definitions, define
from besom.client.exits import INTERRUPTED, code_and_error
from besom.client.reads import Reads
from besom.client.rows import Rows
from besom.client.run_facts import KnownRun
from besom.client.run_folder import RunFolder
from besom.client.say import say, warn, warn_once
from besom.client.settings import finish_timeout_s
from besom.client.spool import Spool
from besom.client.summary import Summary, SummaryState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType
    from typing import Any

    from besom.client.saving import SavedFiles
    from besom.client.sender import Sender


class Run(KnownRun):
    """One attempt of a run, made by `besom.init()`; a context manager.

    ``facts`` is what ``config.json`` of the run folder holds. ``folder`` is None when nothing is recorded (mode
    "disabled", or not the first process of a distributed training). ``sender`` is None when somebody else ships.
    ``about`` is what the script says of its run to whoever knows it already (names, tags).
    """

    config_class: type[Config] = Config

    def __init__(
        self,
        facts: Mapping[str, Any],
        config: Mapping[str, Any],
        *,
        mode: str = "online",
        folder: RunFolder | None = None,
        writer: str = "",
        sender: Sender | None = None,
        watched: bool = False,
        allow_val_change: bool | None = None,
        about: Mapping[str, Any] | None = None,
        on_end: Callable[[Run], None] = lambda run: None,
    ) -> None:
        self._facts = dict(facts)
        self._mode = mode
        self._folder = folder
        self._writer = writer
        self._sender = sender
        self._watched = watched
        self._on_end = on_end
        self._start_time = time.time()
        self._ended = False
        self._forked = False
        self._preempting = False
        self._saved: SavedFiles | None = None
        place = self.spool_file = folder.history_file(self.attempt, writer) if folder is not None else None
        definitions = Definitions()
        kept = SummaryState(definitions, self._summary_changed)
        self._rows = Rows(Spool(None if place is None else lambda: place), kept, definitions, resumed=self.resumed)
        self._spool.begin()
        self.summary = Summary(kept)
        params = self._facts.get("params") or {}
        shared = os.path.join(os.path.dirname(place), "reads") if place is not None else None
        self._reads = Reads(params, shared) if params else None
        self.config = self.config_class(
            ConfigState(
                config,
                locked={key: config[key] for key in params if key in config},
                reads=self._reads,
                on_change=self._config_changed,
                allow_val_change=allow_val_change,
            )
        )
        if config and not (watched and self.attempt == 1 and config == params):
            self._config_changed(dict(config))
        if about:
            self._spool.note("about", **about)
        _living.add(self)

    # ---- logging

    def log(self, data: Mapping[str, Any], step: int | None = None, commit: bool | None = None) -> None:
        """Records a row of values; when it returns, a killed process cannot lose it.

        Without ``step`` each call is a new step, unless ``commit=False`` lets the next call add to the same one.
        Rows of equal ``step`` are merged, the last value of a name wins; a step below the current one is dropped
        with a warning. Numbers are numbers (NaN and ±∞ too, one-element arrays and tensors too), nested dictionaries
        get dotted names, everything else is kept as JSON. Raises UsageError for a mistake in the call, never for a
        full disk or a lost server.
        """
        self._rows.log(data, step, commit)

    def define_metric(
        self,
        name: str,
        step_metric: str | Definition | None = None,
        step_sync: bool | None = None,
        hidden: bool | None = None,
        summary: str | None = None,
        goal: str | None = None,
        overwrite: bool | None = None,
    ) -> Definition:
        """Says how a logged name is shown: its x axis, and what the summary keeps of it.

        ``name`` may end with ``*``. ``summary`` lists words of min, max, mean, last, first, none; then the summary
        holds ``{"min": …}`` for that name. Raises UsageError for other words.
        """
        return self._rows.define(define(name, step_metric, step_sync, hidden, summary, goal), overwrite=bool(overwrite))

    def save(
        self, glob_str: str | os.PathLike[str] | None = None, base_path: str | os.PathLike[str] | None = None,
        policy: str = "live", glob: bool = True,
    ) -> list[str]:  # fmt: skip
        """Copies files into the run's folder now, and with the policies "live" and "end" once more at the end.

        Returns the paths of the copies. This version keeps them on this machine.
        """
        if glob_str is None:
            warn_once("save() without a file name does nothing: changes of a run need no saving")
        if glob_str is None or self._folder is None:
            return []
        if self._saved is None:
            from pathlib import Path

            from besom.client.saving import SavedFiles

            self._saved = SavedFiles(Path(self.dir))
        base = os.fspath(base_path) if base_path is not None else None
        return self._saved.save(os.fspath(glob_str), base, policy, glob)

    def mark_preempting(self) -> None:
        """Says that the machine is being taken away: unless the run still ends well, it is queued again."""
        self._preempting = True
        self._spool.note("preempting")

    @property
    def step(self) -> int:
        """The current step: where the next `log` without a step goes."""
        return self._rows.step

    @property
    def start_time(self) -> float:
        """When the script began the run, in seconds since 1970."""
        return self._start_time

    @property
    def dir(self) -> str:
        """A folder for files of the run, made when asked for."""
        folder = self._facts.get("dir") or (self._folder.files if self._folder is not None else os.getcwd())
        os.makedirs(folder, exist_ok=True)
        return os.fspath(folder)

    @property
    def stop_reason(self) -> str | None:
        """Why the run should end now; None while it may go on."""
        return self._folder.stop_reason() if self._folder is not None else None

    @property
    def disabled(self) -> bool:
        """True if nothing is recorded."""
        return self._folder is None

    @property
    def offline(self) -> bool:
        """True if the run is recorded on disk only."""
        return self._mode == "offline"

    # ---- the end

    def finish(self, exit_code: int | None = None, quiet: bool | None = None) -> None:
        """Ends the run: finished with exit code 0 (or None), else failed.

        Without an agent it waits for the server, at most ``BESOM_FINISH_TIMEOUT`` seconds or until Ctrl-C; what is
        not sent by then is sent by `besom sync`.
        """
        self.end(exit_code or 0, None, quiet=bool(quiet))

    def end(self, exit_code: int, error: str | None, *, quiet: bool = False) -> None:
        """Ends the run as `finish` does, with a line about the exception that ended it."""
        if self._ended:
            return
        self._ended = True
        self._rows.over = f"the run {self.name} is finished: log() before finish(), or begin another run by init()"
        _living.discard(self)
        if self._forked:
            self._spool.close()
            self._on_end(self)
            return
        if self._saved is not None:
            self._saved.again()
        if exit_code == 0:
            self._tell_reads()
        lost = {"lost": self._spool.dropped} if self._spool.dropped else {}
        self._spool.note("exit", code=exit_code, error=error, **lost)
        self._spool.close()
        if self._spool.dropped:
            warn(f"{self._spool.dropped} records of this run could not be written and are lost")
        self._on_end(self)
        if self._folder is not None and not (self._watched and self._sender is None):
            self._send_rest(self._folder, self._how_it_ended(exit_code, error), quiet)

    def _how_it_ended(self, exit_code: int, error: str | None) -> dict[str, Any]:
        """The fields of ``FinishRun`` that a run without an agent knows."""
        stopped_by = None
        if exit_code == INTERRUPTED:
            stopped_by = "interrupt" if self.stop_reason is None else "stop"
        return {"exit_code": exit_code, "error": error, "stopped_by": stopped_by, "preempting": self._preempting}

    def _tell_reads(self) -> None:
        if self._reads is None or self._folder is None:
            return
        taken = self._reads.taken()
        self._spool.note("reads", read=taken)
        swept = self._facts.get("swept", self._reads.params)
        unread = [key for key in self._reads.params if key in swept and key not in taken]
        # A second program of the same attempt may leave to the first what that one has read.
        if unread and self._writer == "w1":
            from besom.common.wording import unread_sentence

            warn(unread_sentence(unread))

    def _send_rest(self, folder: RunFolder, how: Mapping[str, Any], quiet: bool) -> None:
        import contextlib

        sent = False
        try:
            # What a full disk does not take is told to the server all the same.
            with contextlib.suppress(OSError):
                folder.write_end(self.attempt, how)
            if self._sender is not None:
                sent = self._sender.finish(how, finish_timeout_s())
        except KeyboardInterrupt:
            say("not waiting any longer")
        if not sent:
            folder.fsync(self.attempt)
            say(f"run {self.name} is kept on this machine; send what the server lacks with: besom sync {folder.path}")
        elif not quiet and self.url:
            say(f"run {self.name} {(self._sender and self._sender.state) or 'sent'}: {self.url}")

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(*code_and_error(kind, value))

    def __repr__(self) -> str:
        return f"<Run {self.path}>"

    # ---- inside

    @property
    def _spool(self) -> Spool:
        return self._rows.spool

    def _config_changed(self, values: dict[str, Any]) -> None:
        if not self._ended:
            self._spool.note("config", set=values)

    def _about_changed(self, word: str, value: Any) -> None:
        if not self._ended:
            self._spool.note("about", **{word: value})

    def _summary_changed(self, values: dict[str, Any], deleted: Sequence[str]) -> None:
        if not self._ended:
            self._spool.note("summary", set=values, delete=list(deleted))

    @property
    def forked(self) -> bool:
        """True in a child that was forked from the process that began the run."""
        return self._forked

    def after_fork(self) -> None:
        """In a forked child: what it logs goes to a file of its own, and its end is not the run's."""
        self._rows.spool.forget()
        self._forked = True
        self._sender = None
        folder, attempt = self._folder, self.attempt
        self._rows.spool = Spool(
            None if folder is None else lambda: folder.history_file(attempt, folder.new_writer(attempt))
        )


_living: set[Run] = set()


def _after_fork_in_child() -> None:
    for run in list(_living):
        run.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
