"""The run of this process, and the functions of `besom` that speak to it."""

from __future__ import annotations

import os
from os import PathLike

from besom.client.config import Config, ConfigState
from besom.client.definitions import Definition
from besom.client.run import Run
from besom.client.summary import Summary, SummaryState
from besom.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

run: Run | None = None
held = ConfigState(allow_val_change=True)
# In a process that an agent keeps for many calls: the spool of the run that ended last in this call.
closed: str | None = None
_ready: tuple[str, int] | None = None


def active(asked: str) -> Run:
    """The current run; raises UsageError when there is none."""
    if run is None:
        raise UsageError(f"there is no run: call init() before {asked}")
    return run


def set_run(new: Run | None) -> None:
    """Makes ``new`` the run of this process."""
    global run
    run = new


def forget(old: Run) -> None:
    """The run has ended."""
    global closed
    closed = old.spool_file
    if run is old:
        set_run(None)


def begin_call(writer: str | None) -> None:
    """A function is called: ``writer`` names the spool that lies ready in its run folder, if there is one."""
    global closed, _ready
    closed = None
    _ready = None if writer is None else (writer, os.getpid())


def take_writer() -> str | None:
    """The writer whose spool lies ready, once. It is this process's alone, not a forked child's."""
    global _ready
    ready, _ready = _ready, None
    return ready[0] if ready is not None and ready[1] == os.getpid() else None


def end(exit_code: int, error: str | None) -> None:
    """Ends the current run, if there is one, as the process or the function that trains ended."""
    if run is not None:
        run.end(exit_code, error)


def log(data: Mapping[str, Any], step: int | None = None, commit: bool | None = None) -> None:
    """Records a row of values of the current run: see `Run.log`."""
    if run is None:
        active("log()")
    else:
        run.log(data, step, commit)


def finish(exit_code: int | None = None, quiet: bool | None = None) -> None:
    """Ends the current run: see `Run.finish`. Without one it does nothing."""
    if run is not None:
        run.finish(exit_code, quiet)


def save(
    glob_str: str | PathLike[str] | None = None,
    base_path: str | PathLike[str] | None = None,
    policy: str = "live",
    glob: bool = True,
) -> list[str]:
    """Keeps files with the current run: see `Run.save`."""
    return active("save()").save(glob_str, base_path, policy, glob)


def define_metric(
    name: str,
    step_metric: str | Definition | None = None,
    step_sync: bool | None = None,
    hidden: bool | None = None,
    summary: str | None = None,
    goal: str | None = None,
    overwrite: bool | None = None,
) -> Definition:
    """Says how a logged name is shown: see `Run.define_metric`."""
    return active("define_metric()").define_metric(name, step_metric, step_sync, hidden, summary, goal, overwrite)


def mark_preempting() -> None:
    """Says that the machine is being taken away: see `Run.mark_preempting`."""
    active("mark_preempting()").mark_preempting()


class LiveConfig(Config):
    """The current run's config; before `init` it holds what is set, for the run to come."""

    __slots__ = ()

    def __init__(self) -> None:
        pass

    @property
    def _state(self) -> ConfigState:  # type: ignore[override]
        return held if run is None else run.config._state


class LiveSummary(Summary):
    """The current run's summary."""

    __slots__ = ()

    def __init__(self) -> None:
        pass

    @property
    def _state(self) -> SummaryState:  # type: ignore[override]
        return active("summary").summary._state


config = LiveConfig()
summary = LiveSummary()
