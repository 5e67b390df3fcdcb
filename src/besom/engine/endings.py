"""What the end of an attempt means for its run: another attempt, or a final state."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from besom.sweep_config.config import Retry
from besom.wire.runs import RunState

# A run is given up when it was lost this often.
MOST_LOSSES = 3


@dataclass(frozen=True, slots=True)
class Report:
    """How an attempt ended: what its watcher saw, and what the script said of itself.

    ``exit_code`` and ``signal`` as the system gave them, ``script_exit`` the code given to `finish` (or of an
    uncaught exception), ``preempting`` that the script or the watcher announced a preemption.
    """

    exit_code: int | None = None
    signal: int | None = None
    stopped_by: Literal["stop", "cancel", "interrupt", "preempt"] | None = None
    preempting: bool = False
    script_exit: int | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else counts: earlier attempts by state, the retry policy, whether the run can be handed out again.

    ``handable``: its sweep chose its params and is still open. ``stop_wanted`` as on the run.
    """

    past: Mapping[str, int]
    retry: Retry
    handable: bool
    stop_wanted: str | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """The run waits to be handed out again, showing ``state``."""

    attempt_state: str
    state: Literal["queued", "preempted"]
    reason: str


@dataclass(frozen=True, slots=True)
class Final:
    """The run has ended in ``state``."""

    attempt_state: str
    state: RunState
    reason: str | None


def ending(report: Report, circumstances: Circumstances) -> Again | Final:
    """What follows from a reported end."""
    state, reason = what_happened(report)
    if state not in ("failed", "crashed", "preempted") or not circumstances.handable:
        return Final(state, state, reason)
    limit = {
        "failed": circumstances.retry.failed,
        "crashed": circumstances.retry.crashed,
        "preempted": circumstances.retry.preempted,
    }[state]
    if limit is not None and circumstances.past.get(state, 0) >= limit:
        return Final(state, state, reason)
    shown: Literal["queued", "preempted"] = "preempted" if state == "preempted" else "queued"
    return Again(state, shown, reason or state)


def what_happened(report: Report) -> tuple[RunState, str | None]:
    """The state that the attempt itself has come to, and the sentence for people (None when all went well)."""
    ordered: dict[str | None, tuple[RunState, str | None]] = {
        "cancel": ("killed", "killed on request"),
        "stop": ("stopped", None),
        "preempt": ("preempted", "its machine was taken away"),
    }
    if report.stopped_by in ordered:
        return ordered[report.stopped_by]
    clean = report.exit_code == 0 and not report.signal
    if report.preempting and not clean:
        return "preempted", "the script said that it was being preempted"
    if report.stopped_by == "interrupt":
        return "killed", "interrupted at its agent"
    return ("finished", None) if clean and not report.script_exit else _unhappy(report)


def _unhappy(report: Report) -> tuple[RunState, str]:
    if report.signal:
        name = signal_name(report.signal)
        return ("killed", f"ended by {name}") if report.signal == signal.SIGINT else ("crashed", f"ended by {name}")
    if report.exit_code is None:
        return "crashed", "ended without an exit code"
    return "failed", f"exit code {report.exit_code or report.script_exit}"


def lost_lease(circumstances: Circumstances) -> Again | Final:
    """What follows when nobody has heard of an attempt for a whole lease."""
    silent = "nothing was heard from it any more"
    if circumstances.stop_wanted == "kill":
        return Final("killed", "killed", None)
    if circumstances.stop_wanted == "stop":
        return Final("stopped", "stopped", None)
    losses = circumstances.past.get("lost", 0) + 1
    if not circumstances.handable:
        return Final("lost", "crashed", silent)
    if losses >= MOST_LOSSES:
        return Final(
            "lost", "crashed", f"{silent}, for the {losses}rd time" if losses == 3 else f"{silent}, {losses} times"
        )
    return Again("lost", "queued", silent)


def signal_name(number: int) -> str:
    """``SIGKILL`` for 9; the number where the system has no name for it."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
