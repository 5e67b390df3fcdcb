"""The names of the module ``wandb``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module

from besom.client import current
from besom.client.as_wandb import stand_ins, submodules
from besom.client.as_wandb.run import LiveWandbConfig, WandbRun
from besom.client.as_wandb.write_back import WandbConfig, write_back
from besom.client.current import define_metric, finish, mark_preempting, save
from besom.client.run import Run
from besom.client.say import say, warn, warn_once
from besom.client.settings import Settings, is_on, rank
from besom.client.start import begin
from besom.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.31.0+besom"
# What a script that only logs never loads: name → where it is defined. The agents' room lies above the client's.
_LATER = {
    "Api": ("besom.client.as_wandb.stored", "Api"),
    "agent": ("besom.agents.function", "run_agent"),
    "sweep": ("besom.client.sweeps", "sweep"),
}
__all__ = [
    "Config",
    "Run",
    "Settings",
    "__version__",
    "config",
    "define_metric",
    "finish",
    "init",
    "join",
    "log",
    "login",
    "mark_preempting",
    "save",
    "summary",
    "termerror",
    "termlog",
    "termwarn",
]

Config = WandbConfig
config = LiveWandbConfig()
summary = current.summary
join = finish
_told = False


def init(
    entity: str | None = None, project: str | None = None, dir: Any = None, id: str | None = None,
    name: str | None = None, notes: str | None = None, tags: Iterable[str] | None = None, config: Any = None,
    config_exclude_keys: Iterable[str] | None = None, config_include_keys: Iterable[str] | None = None,
    allow_val_change: bool | None = None, group: str | None = None, job_type: str | None = None, mode: Any = None,
    force: bool | None = None, reinit: bool | str | None = None, resume: bool | str | None = None,
    resume_from: str | None = None, fork_from: str | None = None, save_code: bool | None = None,
    tensorboard: bool | None = None, sync_tensorboard: bool | None = None, monitor_gym: bool | None = None,
    settings: Settings | Mapping[str, Any] | None = None, **older: Any,
) -> Run:  # fmt: skip
    """Begins the run of this process: see `besom.init`. Arguments of older versions of W&B are accepted.

    Under a sweep the sweep's values are written back into a plain dictionary given as ``config``.
    """
    given = dict(locals())
    if given.pop("older"):
        warn_once(f"init() does not use {', '.join(older)}")
    _say_who_we_are()
    run = begin(given, WandbRun, "wandb")
    write_back(config, run.config, "init(config=…)")
    return run


def log(data: Mapping[str, Any], step: int | None = None, commit: bool | None = None, sync: bool | None = None) -> None:
    """Records a row of values of the current run. ``sync`` is accepted and changes nothing."""
    current.log(data, step, commit)


def login(*args: Any, **options: Any) -> bool:
    """Nothing to log in to: True, as W&B says when the key is good."""
    return True


def termlog(string: str = "", newline: bool = True, repeat: bool = True) -> None:
    """Says one line."""
    say(string)


def termwarn(string: str, newline: bool = True, repeat: bool = True) -> None:
    """Says one line as a warning."""
    warn(string)


def termerror(string: str, newline: bool = True, repeat: bool = True) -> None:
    """Says one line as a warning."""
    warn(string)


def controller(*args: Any, **options: Any) -> Any:
    """Not in this version."""
    raise UsageError("wandb.controller is not in this version of Besom: the server itself chooses the next runs")


def _say_who_we_are() -> None:
    global _told
    if not _told and rank() == 0 and not is_on("BESOM_WANDB_TOLD"):
        _told = True
        say("Besom's own module stands in for wandb in this process: nothing goes to W&B")


def __getattr__(name: str) -> Any:
    if name == "run":
        return current.run
    if name in _LATER:
        place, inner = _LATER[name]
        return getattr(import_module(place), inner)
    if name in submodules.ERRORS:
        return submodules.ERRORS[name]
    if name in stand_ins.MEDIA:
        globals()[name] = stand_ins.media(name)
        return globals()[name]
    if name in stand_ins.FUNCTIONS or name in stand_ins.QUIET:
        return stand_ins.StandIn(f"wandb.{name}", quiet=name in stand_ins.QUIET)
    if name in submodules.LOGGERS:
        raise AttributeError(submodules.missing(f"wandb.{name}"))
    found = submodules.submodule(name)
    if found is None:
        raise AttributeError(f"Besom's stand-in for wandb has no {name!r}")
    return found
