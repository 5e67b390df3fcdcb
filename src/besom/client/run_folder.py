"""The folder of one run on disk: the format that the client, agents and `besom sync` share.

::

    <state>/runs/<run uid>/
        config.json                     what is known of the run before it starts (table below)
        <attempt>-<writer>/history.bin  the spool of one writing process (`common/spool_format.py`)
        <attempt>-<writer>/console.log  what a process printed
        files/                          what `run.save()` kept
        stop                            {"reason": …}: the run should end
        end-<attempt>.json              how an attempt without an agent ended, until the server has heard it
        done-<attempt>                  the server has confirmed the end of this attempt
        refused                         it did not take what a dead process left: `besom sync` asks again
        process.json                    the process of a run without an agent: its pid and start time
        agent-<attempt>.json            the same of the agent that watches the attempt, and how far that has come

``config.json`` holds ``uid, name, display_name, entity, project, sweep_id, attempt, params, swept, url, sweep_url,
metric, resumed``; a run without an agent has ``new_run`` beside them, the request that introduces it to a server.
What ships itself has ``mode``, ``meant_for`` (the server's address as the user gave it) and, once it answered,
``server`` (its id).
"""

from __future__ import annotations

import os

from besom.common.json_text import decode
from besom.common.places import overwrite, write_private
from besom.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

# Whoever ships has the disk hold on to what was written this often.
FSYNC_S = 5.0
_LAST = ("process.json", "config.json")
STREAM_FILES = {"history": "history.bin", "console": "console.log"}


class Stream:
    """One file of a run folder that belongs on the server."""

    __slots__ = ("attempt", "file", "kind", "writer")

    def __init__(self, attempt: int, writer: str, kind: str, file: Path) -> None:
        self.attempt = attempt
        self.writer = writer
        self.kind = kind
        self.file = file


class RunFolder:
    """Reads and writes one run folder. Nothing is kept in memory: two processes may hold the same folder."""

    def __init__(self, path: Path | str) -> None:
        # A slash at the end is no part of the name.
        self.place = os.fspath(path).rstrip("/")
        self._path: Path | None = None

    @property
    def path(self) -> Path:
        """The folder, for whoever has `pathlib` anyway: a run under an agent never loads it."""
        if self._path is None:
            from pathlib import Path

            self._path = Path(self.place)
        return self._path

    @property
    def uid(self) -> str:
        """The run's uid, which is the folder's name."""
        return os.path.basename(self.place)

    # ---- what is known of the run

    def write_config(self, facts: Mapping[str, Any], *, durable: bool = True) -> None:
        """Makes the folder and writes ``config.json``, whole or not at all."""
        write_private(self._inside("config.json"), _text(facts), durable=durable)

    def rewrite_config(self, facts: Mapping[str, Any]) -> None:
        """Writes ``config.json`` over the one of an earlier run, which nobody reads any more."""
        descriptor = os.open(self._inside("config.json"), os.O_WRONLY)
        try:
            overwrite(descriptor, _text(facts).encode())
        finally:
            os.close(descriptor)

    def config(self) -> dict[str, Any]:
        """What ``config.json`` holds; raises UsageError when there is none to read."""
        file = self._inside("config.json")
        try:
            found = _load(file)
        except (OSError, ValueError) as error:
            raise UsageError(f"{file} cannot be read ({error}): the run folder is not whole") from None
        if not isinstance(found, dict):
            raise UsageError(f"{file} does not hold an object: the run folder is not whole")
        return found

    def known(self) -> dict[str, Any]:
        """What ``config.json`` holds; empty when there is none to read."""
        return self._read("config.json") or {}

    def is_writable(self) -> bool:
        """True if this process can make files in the folder."""
        return os.access(self.place, os.W_OK | os.X_OK) and os.path.isdir(self.place)

    # ---- streams

    def new_writer(self, attempt: int) -> str:
        """Claims a writer's name for this process (``w1``, ``w2`` …) by making its folder."""
        number = 1
        while True:
            writer = f"w{number}"
            try:
                os.mkdir(self._inside(f"{attempt}-{writer}"), 0o700)
                return writer
            except FileExistsError:
                number += 1

    def stream_file(self, attempt: int, writer: str, kind: str) -> Path:
        """Where the stream of ``kind`` ("history" or "console") lies; its folder may not exist yet."""
        return self.path / f"{attempt}-{writer}" / STREAM_FILES[kind]

    def history_file(self, attempt: int, writer: str) -> str:
        """The same of the kind "history", as text."""
        return self._inside(f"{attempt}-{writer}", STREAM_FILES["history"])

    def streams(self, attempt: int | None = None) -> list[Stream]:
        """Every stream file there is, of one attempt or of all, in order of attempt and writer."""
        from pathlib import Path

        found = []
        try:
            entries = sorted(entry.name for entry in os.scandir(self.place) if entry.is_dir())
        except FileNotFoundError:
            return []
        for name in entries:
            number, _, writer = name.partition("-")
            if not _is_number(number) or not _is_writer(writer) or attempt not in (None, int(number)):
                continue
            for kind, file_name in STREAM_FILES.items():
                file = self._inside(name, file_name)
                if os.path.exists(file):
                    found.append(Stream(int(number), writer, kind, Path(file)))
        return sorted(found, key=lambda stream: (stream.attempt, stream.writer, stream.kind))

    def fsync(self, attempt: int) -> None:
        """Makes what was written of an attempt, and what is known of the run, survive a power cut."""
        import contextlib

        known = tuple(self._inside(name) for name in ("config.json", f"agent-{attempt}.json", f"end-{attempt}.json"))
        for file in (*known, *(str(stream.file) for stream in self.streams(attempt))):
            # A file that is not there has nothing to lose.
            with contextlib.suppress(OSError):
                descriptor = os.open(file, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)

    @property
    def files(self) -> Path:
        """Where `run.save()` keeps files."""
        return self.path / "files"

    # ---- flags

    def ask_to_stop(self, reason: str) -> None:
        """Raises the stop flag."""
        write_private(self._inside("stop"), _text({"reason": reason}), durable=False)

    def stop_reason(self) -> str | None:
        """Why the run should end; None while it may go on."""
        found = self._read("stop")
        return None if found is None else str(found.get("reason") or "asked to stop")

    def clear_stop(self) -> None:
        """Takes the stop flag away, before another attempt."""
        import contextlib

        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._inside("stop"))

    def write_end(self, attempt: int, finish: Mapping[str, Any]) -> None:
        """Keeps the request that tells the server how the attempt ended (fields of ``FinishRun``).

        Safe from a kill; from a power cut after `fsync`.
        """
        write_private(self._inside(f"end-{attempt}.json"), _text(finish), durable=False)

    def end(self, attempt: int) -> dict[str, Any] | None:
        """The kept end of an attempt; None if it has not ended or an agent watches it."""
        return self._read(f"end-{attempt}.json")

    def mark_done(self, attempt: int) -> None:
        """Notes that the server has confirmed the end of the attempt with all its rows."""
        write_private(self._inside(f"done-{attempt}"), "", durable=False)

    def discard(self) -> None:
        """Removes what the server has by now: everything, except the files that `run.save()` kept."""
        if not self.files.is_dir():
            _remove(self.place)
            return
        for stream in self.streams():
            _remove(os.path.dirname(stream.file))

    def is_done(self, attempt: int) -> bool:
        """True if nothing of the attempt is left to tell the server."""
        return os.path.exists(self._inside(f"done-{attempt}"))

    # ---- owners

    def write_owner(self, name: str, facts: Mapping[str, Any]) -> None:
        """Writes ``process.json`` (``name="process"``). No power cut matters: the owner dies of it."""
        write_private(self._inside(f"{name}.json"), _text(facts), durable=False)

    def owner(self, name: str) -> dict[str, Any] | None:
        """What the owner's file holds; None without one."""
        return self._read(f"{name}.json")

    def agent_file(self, attempt: int) -> Path:
        """Where the agent of an attempt says that it watches it."""
        return self.path / f"agent-{attempt}.json"

    def agents(self) -> dict[int, dict[str, Any]]:
        """What the files of agents hold, by attempt."""
        try:
            found = {attempt: self._read(f"agent-{attempt}.json") for attempt in self._watched_attempts()}
        except OSError:
            return {}
        return {attempt: facts for attempt, facts in sorted(found.items()) if facts is not None}

    def _watched_attempts(self) -> Iterator[int]:
        for name in os.listdir(self.place):
            number = name.removeprefix("agent-").removesuffix(".json")
            if _is_number(number) and name == f"agent-{number}.json":
                yield int(number)

    def _inside(self, *names: str) -> str:
        return os.path.join(self.place, *names)

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            found = _load(self._inside(name))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None


def _load(file: str) -> Any:
    with open(file, "rb", 0) as content:
        return decode(content.read().decode())


def _text(facts: Mapping[str, Any]) -> str:
    # Only who writes these files pays for this import.
    import json

    return json.dumps(dict(facts))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _is_writer(text: str) -> bool:
    return text.isascii() and text.replace("_", "a").isalnum()


def _comes_late(name: str) -> int:
    """Whoever clears up may die meanwhile: what tells that the rest is needed no longer goes after the rest."""
    return 2 + _LAST.index(name) if name in _LAST else int(name.startswith("done-"))


def _remove(folder: str) -> None:
    """Removes a folder and what is in it, as far as it can.

    Not by shutil: what it imports makes Python forget that Ctrl-C is on its way to end the process.
    """
    import contextlib

    for place, folders, files in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            for name in sorted(files, key=_comes_late):
                os.unlink(os.path.join(place, name))
            for name in folders:
                os.rmdir(os.path.join(place, name))
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def this_process() -> dict[str, Any]:
    """What ``process.json`` says of the process that asks."""
    # Only runs without an agent pay for these imports.
    from besom.common.discovery import boot_id, host_name, pid_space, process_started

    pid = os.getpid()
    return {
        "pid": pid,
        "pid_started": process_started(pid),
        "host": host_name(),
        "boot_id": boot_id(),
        "pid_space": pid_space(),
    }


def owner_is_alive(owner: Mapping[str, Any] | None) -> bool:
    """True if the process of an owner's file still runs; one that cannot be seen from here is taken for alive."""
    from besom.common.discovery import boot_id, host_name, pid_space, process_started

    if owner is None or "pid" not in owner:
        return False
    if owner.get("host", host_name()) != host_name():
        return True
    if owner.get("boot_id", boot_id()) != boot_id():
        return False
    if owner.get("pid_space", pid_space()) != pid_space():
        return True
    started = process_started(int(owner["pid"]))
    return started is not None and started == owner.get("pid_started", started)
