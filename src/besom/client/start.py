"""`besom.init()`: from arguments, environment and files to a `Run`.

Four ways lead to one: under an agent whose run folder we can write (then nothing touches the network); under an
agent whose folder we cannot reach (then we ship by ourselves); without an agent; and without recording anything.
"""

from __future__ import annotations

import os
from _collections_abc import Mapping

from besom.client import current, exits, reads
from besom.client.config import as_config, in_notebook
from besom.client.run import Run
from besom.client.run_folder import RunFolder, this_process
from besom.client.say import say, warn, warn_once
from besom.client.settings import Settings, rank, read
from besom.client.values import merge
from besom.errors import ServerError, ServerUnreachable, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Literal

    from besom.client.connection import Connection
    from besom.client.sender import Sender

MODES = {"online": "online", "run": "online", "shared": "online", "offline": "offline", "dryrun": "offline"}
_NOT_OURS = ("resume_from", "fork_from", "save_code", "tensorboard", "sync_tensorboard", "monitor_gym")


def init(
    entity: str | None = None,
    project: str | None = None,
    dir: str | os.PathLike[str] | None = None,
    id: str | None = None,
    name: str | None = None,
    notes: str | None = None,
    tags: Iterable[str] | None = None,
    config: Any = None,
    config_exclude_keys: Iterable[str] | None = None,
    config_include_keys: Iterable[str] | None = None,
    allow_val_change: bool | None = None,
    group: str | None = None,
    job_type: str | None = None,
    mode: Literal["online", "offline", "disabled", "shared"] | None = None,
    force: bool | None = None,
    reinit: bool | str | None = None,
    resume: bool | str | None = None,
    resume_from: str | None = None,
    fork_from: str | None = None,
    save_code: bool | None = None,
    tensorboard: bool | None = None,
    sync_tensorboard: bool | None = None,
    monitor_gym: bool | None = None,
    settings: Settings | Mapping[str, Any] | None = None,
) -> Run:
    """Begins the run of this process and returns it; a context manager that ends it.

    ``config`` is a dictionary, an argparse namespace, absl flags or the path of a YAML file. Under a sweep the
    sweep's values lie over it and are locked, and the agent's run is used whatever ``entity``, ``project`` and
    ``id`` say. A run that is not over yet is returned as it is, unless ``reinit`` asks for a new one. ``mode``
    "offline" records on disk for `besom sync`, "disabled" records nothing. A lost server stops nothing: the run is
    recorded and sent later. What the script prints is kept by an agent only. Raises UsageError for arguments that
    cannot be meant.
    """
    return begin(dict(locals()))


def begin(given: dict[str, Any], run_class: type[Run] = Run, module: str = "besom") -> Run:
    """`init` for both fronts: ``given`` holds its arguments by name, ``module`` is the name scripts know us by."""
    options = _options(given)
    running = _still_running(options)
    if running is not None:
        return running
    start = Start(options, run_class, module)
    run = start.run()
    current.set_run(run)
    current.held.values.clear()
    exits.install(current.end)
    return run


def _options(given: dict[str, Any]) -> dict[str, Any]:
    """The arguments that say something, with those of ``settings`` behind them."""
    settings = given.pop("settings", None)
    if isinstance(settings, Mapping):
        settings = Settings(**settings)
    options = dict(getattr(settings, "options", {}))
    options.update({name: value for name, value in given.items() if value is not None})
    ignored = [*getattr(settings, "ignored", []), *(name for name in _NOT_OURS if options.get(name))]
    if ignored:
        warn_once(f"init() does not use {', '.join(ignored)}")
    tags = options.get("tags")
    options["tags"] = [tags] if isinstance(tags, str) else [str(tag) for tag in tags or ()]
    return options


def _still_running(options: Mapping[str, Any]) -> Run | None:
    running = current.run
    if running is None:
        return None
    reinit = options.get("reinit")
    if running.forked or reinit == "create_new":
        # A forked child begins a run of its own; its parent's goes on in the parent.
        return None
    if reinit in (True, "finish_previous") or (reinit in (None, "default") and in_notebook()):
        running.finish()
        return None
    if options.get("config") is not None:
        running.config.update(options["config"], allow_val_change=True)
    return running


class Start:
    """One call of `init`."""

    def __init__(self, options: Mapping[str, Any], run_class: type[Run], module: str) -> None:
        self.options = options
        self.run_class = run_class
        self.module = module
        self.environ = os.environ
        self.mode = _mode(options.get("mode") or read("BESOM_MODE") or "online")

    def run(self) -> Run:
        """The run, by whichever of the four ways."""
        if self.environ.get("BESOM_RUN_UID") and self.environ.get("BESOM_RUN_DIR") and not self._stands_alone():
            return self._under_agent()
        if self.mode == "disabled" or rank(self.environ) > 0:
            return self._unrecorded(self._own_facts("disabled"))
        return self._alone()

    def _stands_alone(self) -> bool:
        """W&B's users begin independent runs inside a run by taking ``WANDB_*`` out of the environment."""
        return self.module == "wandb" and not self.environ.get("WANDB_RUN_ID")

    # ---- the four ways

    def _under_agent(self) -> Run:
        folder = RunFolder(self.environ["BESOM_RUN_DIR"])
        about = self._given_facts()
        directory = {"dir": os.fspath(self.options["dir"])} if self.options.get("dir") else {}
        facts = {**self._facts_by_agent(folder), **about, **directory}
        self._tell_ignored(facts)
        reads.watch(self.environ)
        if self.mode == "disabled" or rank(self.environ) > 0:
            return self._unrecorded(facts)
        if folder.is_writable():
            writer = current.take_writer() or folder.new_writer(int(facts["attempt"]))
            return self._make(facts, folder=folder, writer=writer, watched=True, about=about)
        return self._ship_by_itself(facts, about)

    def _ship_by_itself(self, facts: dict[str, Any], about: dict[str, Any]) -> Run:
        from besom.client.sender import Sender
        from besom.common.ids import new_id

        folder = self._reachable_folder(str(facts["uid"]))
        folder.write_config({**folder.known(), **facts, **self._self_shipped()}, durable=False)
        folder.write_owner("process", this_process())
        # Other machines may write for the same attempt: a number would be theirs too.
        writer = new_id(6)
        (folder.path / f"{facts['attempt']}-{writer}").mkdir(mode=0o700)
        sender = Sender(folder, int(facts["attempt"]), self._find_server, watched=True)
        run = self._make(facts, folder=folder, writer=writer, watched=True, sender=sender, about=about)
        sender.start()
        return run

    def _alone(self) -> Run:
        from besom.common.ids import new_id
        from besom.common.spool_place import spool_place

        facts = self._own_facts(self.options.get("id") or read("BESOM_RUN_ID") or new_id(8))
        place = spool_place(self.environ)
        # Offline it waits for a person, who comes when the job and its local disk are gone.
        folder = RunFolder((place.lasting if self.mode == "offline" else place.runs) / str(facts["uid"]))
        if saved := place.saved_files(folder.uid):
            facts.setdefault("dir", saved)
        try:
            folder.write_config({**facts, **self._self_shipped()}, durable=False)
            folder.write_owner("process", this_process())
            writer = folder.new_writer(1)
        except OSError as error:
            raise UsageError(
                f"the run cannot be recorded in {folder.path} ({error.strerror}): set BESOM_DIR to another folder, or "
                "BESOM_MODE=disabled"
            ) from None
        if self.mode == "offline":
            say(f"run {facts['name']} is recorded in {folder.path}; send it later with: besom sync")
            return self._make(facts, folder=folder, writer=writer)
        return self._online(facts, folder, writer)

    def _online(self, facts: dict[str, Any], folder: RunFolder, writer: str) -> Run:
        from besom.client.sender import Sender

        sender = Sender(folder, 1, self._find_server, on_stop=_interrupt)
        try:
            facts.update(sender.introduce())
        except (ServerUnreachable, ServerError) as error:
            sender.trouble = str(error)
            warn(f"{error}; the run is recorded in {folder.path} and sent when the server answers")
        except Exception:
            folder.discard()
            raise
        else:
            say(f"run {facts['display_name'] or facts['name']}: {facts['url']}")
            self._ship_left_behind(sender)
        run = self._make(facts, folder=folder, writer=writer, sender=sender)
        sender.start()
        return run

    def _unrecorded(self, facts: dict[str, Any]) -> Run:
        return self._make(facts)

    def _make(self, facts: Mapping[str, Any], **how: Any) -> Run:
        return self.run_class(
            facts,
            self._config(facts.get("params") or {}),
            mode=self.mode,
            allow_val_change=self.options.get("allow_val_change"),
            on_end=current.forget,
            **how,
        )

    # ---- facts

    def _given_facts(self) -> dict[str, Any]:
        """What a script may say of its run under a sweep too."""
        words = ("group", "job_type", "notes", "tags")
        facts = {word: self.options[word] for word in words if self.options.get(word)}
        if self.options.get("name"):
            facts["display_name"] = self.options["name"]
        return facts

    def _facts_by_agent(self, folder: RunFolder) -> dict[str, Any]:
        environ = self.environ
        facts = {
            "uid": environ["BESOM_RUN_UID"],
            "name": read("BESOM_RUN_ID") or environ["BESOM_RUN_UID"],
            "entity": read("BESOM_ENTITY"),
            "project": read("BESOM_PROJECT"),
            "sweep_id": read("BESOM_SWEEP_ID"),
        }
        known = folder.known()
        if not known:
            known = {"params": self._params_elsewhere(str(facts["uid"]))}
        return {**facts, **known, "attempt": int(environ.get("BESOM_ATTEMPT") or known.get("attempt") or 1)}

    def _params_elsewhere(self, uid: str) -> dict[str, Any]:
        """The params of a run whose folder is out of reach: from the parameter file, else from the server."""
        import json

        parameter_file = self.environ.get("WANDB_SWEEP_PARAM_PATH", "")
        if parameter_file.endswith(".yaml"):
            try:
                with open(parameter_file[:-5] + ".json", "rb") as content:
                    wrapped = json.loads(content.read())
                return {key: item["value"] if isinstance(item, dict) and "value" in item else item
                        for key, item in wrapped.items()}  # fmt: skip
            except (OSError, ValueError, AttributeError):
                pass
        params: dict[str, Any] = self._find_server(True).call("GET", f"/api/v1/runs/{uid}", patience_s=30.0)["params"]
        return params

    def _own_facts(self, name: str) -> dict[str, Any]:
        from besom.client.project_name import default_project
        from besom.common.discovery import host_name
        from besom.common.ids import check_entity_name, check_project_name, check_run_name, new_id

        options = self.options
        entity = options.get("entity") or read("BESOM_ENTITY")
        tags = options["tags"] or [tag for tag in (read("BESOM_TAGS") or "").split(",") if tag]
        new_run = {
            "uid": new_id(16),
            "name": check_run_name(str(name)),
            "entity": check_entity_name(str(entity)) if entity else None,
            "project": check_project_name(str(options.get("project") or read("BESOM_PROJECT") or default_project())),
            "display_name": options.get("name") or read("BESOM_NAME"),
            "group": options.get("group") or read("BESOM_RUN_GROUP"),
            "job_type": options.get("job_type") or read("BESOM_JOB_TYPE"),
            "notes": options.get("notes") or read("BESOM_NOTES"),
            "tags": tags,
            "host": host_name(),
            "sweep_id": options.get("sweep_id") or read("BESOM_SWEEP_ID"),
        }
        directory = {"dir": os.fspath(options["dir"])} if options.get("dir") else {}
        return {**new_run, **directory, "attempt": 1, "params": {}, "url": "", "resumed": False, "new_run": new_run}

    def _tell_ignored(self, facts: Mapping[str, Any]) -> None:
        for word, option, fact in (("project", "project", "project"), ("entity", "entity", "entity"),
                                   ("run_id", "id", "name")):  # fmt: skip
            value = self.options.get(option)
            if value is not None and value != facts.get(fact):
                warn(f"Ignoring {word} {value!r} when running a sweep.")

    # ---- config

    def _config(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Files, then what was set before `init`, then its argument, and the sweep's values over all of it."""
        values: dict[str, Any] = {}
        if os.path.exists("config-defaults.yaml") or read("BESOM_CONFIG_PATHS"):
            from besom.client.config_files import values_of_files

            values.update(values_of_files(self.environ))
        values.update(current.held.values)
        values.update(self._argument())
        return merge({key.strip("-"): value for key, value in values.items()}, params)

    def _argument(self) -> dict[str, Any]:
        include, exclude = self.options.get("config_include_keys"), self.options.get("config_exclude_keys")
        if include and exclude:
            raise UsageError("init() takes config_include_keys or config_exclude_keys, not both")
        given = as_config(self.options.get("config"))
        included = set(include) if include else set(given)
        return {key: value for key, value in given.items() if key in included and key not in set(exclude or ())}

    # ---- the server

    def _self_shipped(self) -> dict[str, Any]:
        """What the folder of a run that ships itself tells whoever finds it when the process has died."""
        if self.mode == "offline":
            return {"mode": self.mode}
        from besom.client.finding import meant_for

        return {"mode": self.mode, "meant_for": meant_for(self.environ)}

    def _ship_left_behind(self, sender: Sender) -> None:
        from besom.client import left_behind
        from besom.client.finding import meant_for
        from besom.common.spool_place import spool_place

        left_behind.ship_in_background(
            spool_place(self.environ).all, sender.connection, meant_for(self.environ), say, but=sender.folder.uid
        )

    def _find_server(self, start: bool) -> Connection:
        from besom.client.finding import find_server

        return find_server(self.environ, start=start, say=lambda line: say(line.removeprefix("besom: ")))

    def _reachable_folder(self, uid: str) -> RunFolder:
        """A run folder on a disk that this process can write."""
        import tempfile
        from pathlib import Path

        from besom.common.spool_place import spool_place

        for parent in (spool_place(self.environ).runs, None):
            try:
                path = (parent or Path(tempfile.mkdtemp(prefix="besom-"))) / uid
                path.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError:
                continue
            folder = RunFolder(path)
            if folder.is_writable():
                return folder
        raise UsageError("no folder can be written for this run: set BESOM_DIR to one")


def _mode(word: str) -> str:
    if word in MODES:
        return MODES[word]
    if word == "disabled":
        return word
    raise UsageError(f"init(mode={word!r}): the modes are online, offline and disabled")


def _interrupt(reason: str) -> None:
    """The server wants the run to end: as Ctrl-C would, out of a sleeping main thread too."""
    import signal
    import threading

    warn(f"the run is being stopped: {reason}")
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
