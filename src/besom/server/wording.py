"""How values read on a page: numbers, durations, times, params, console text. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from besom.common.json_numbers import NON_FINITE, dumps
from besom.common.wording import NONE, duration, error_line
from besom.wire.runs import RunAnswer
from besom.wire.sweeps import RunCounts

ENDED = ("finished", "stopped", "killed", "failed", "crashed")
# Escape sequences that color a terminal, and those that set its title.
_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


def value_text(value: Any) -> str:
    """A value in a cell: floats with five significant digits, text as it is, the rest as JSON."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, str):
        return "∞" if value == "Infinity" else "−∞" if value == "-Infinity" else value
    return str(value) if isinstance(value, int) else dumps(value)


def is_number(value: Any) -> bool:
    """True for what stands at the right of its cell."""
    if isinstance(value, str):
        return value in NON_FINITE
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def runtime(run: RunAnswer, now: float) -> str:
    """How long a run took, or has taken so far."""
    if run.runtime_s is None and run.started is not None and run.state == "running":
        return duration(now - datetime.fromisoformat(run.started.replace("Z", "+00:00")).timestamp())
    return duration(run.runtime_s)


def why_ended(run: RunAnswer) -> str | None:
    """Why a run was stopped, or what made it fail, in one line."""
    # A run that was done before the word to stop reached it has not been stopped.
    if run.stop_reason and run.state != "finished":
        return run.stop_reason
    return error_line(run.error)[:200] or None


def moment(at: str | None) -> str:
    """``2026-03-01T12:30:05.123Z`` → ``2026-03-01 12:30:05 UTC``."""
    return NONE if not at else f"{at[:10]} {at[11:19]} UTC"


def ended(counts: RunCounts) -> int:
    """How many runs have ended."""
    return sum(getattr(counts, state) for state in ENDED)


def states_text(counts: RunCounts) -> str:
    """``4 finished, 1 failed, 2 running``, leaving out what is none."""
    order = (*ENDED, "running", "queued", "preempted")
    return ", ".join(f"{getattr(counts, state)} {state}" for state in order if getattr(counts, state)) or "none yet"


def last_lines(data: bytes, most: int = 200) -> str:
    """The last lines of what a terminal showed: colors gone, a line drawn over by a progress bar as it was last."""
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return "\n".join(_TERMINAL.sub("", line).rstrip("\r").rpartition("\r")[2] for line in lines[-most:])
