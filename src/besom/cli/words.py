"""How values read in a sentence or a table cell: numbers, durations, times, params, counts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from besom.command import flatten
from besom.common.wording import NONE, duration, score_text

DONE_STATES = ("finished", "stopped", "killed", "failed", "crashed")


def value_text(value: Any) -> str:
    """A value in a table cell: floats with four significant digits, everything else as Python writes it."""
    if value is None:
        return NONE
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4g}"
    return str(value)


def run_score_text(run: Mapping[str, Any]) -> str:
    """A run's score; what a running run has reached is only so far."""
    text = score_text(run["score"])
    return f"{text} so far" if run["state"] == "running" and run["score"] is not None else text


def runtime_text(run: Mapping[str, Any], now: float) -> str:
    """How long a run took, or has taken until ``now`` (seconds since 1970)."""
    if run["runtime_s"] is None and run["state"] == "running" and run["started"]:
        return duration(now - seconds(run["started"]))
    return duration(run["runtime_s"])


def params_text(params: Mapping[str, Any]) -> str:
    """``batch_size=64 lr=0.001``; nested params with dotted names."""
    return " ".join(f"{name}={value_text(value)}" for name, value in flatten(params))


def ago(at: str | None, now: float) -> str:
    """An ISO 8601 time as the distance to ``now`` (seconds since 1970)."""
    if not at:
        return NONE
    distance = now - seconds(at)
    if distance < 2:
        return "just now"
    largest = duration(round(distance)).split(" ")
    return f"{largest[0].removesuffix('.0')} {largest[1]} ago"


def seconds(at: str) -> float:
    """An ISO 8601 time as seconds since 1970."""
    return datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp()


def count_text(number: int, noun: str) -> str:
    """``1 run``, ``2 runs``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def bytes_text(number: int) -> str:
    """``512 B``, ``3.4 MB``: decimal units, as disks are sold."""
    if number < 1000:
        return f"{number} B"
    size, units = number / 1000, iter(("kB", "MB", "GB"))
    unit = next(units)
    while size >= 999.5 and unit != "GB":
        size, unit = size / 1000, next(units)
    return f"{size:.1f} {unit}" if size < 99.5 else f"{size:.0f} {unit}"


def done(runs: Mapping[str, int]) -> int:
    """How many of a sweep's runs have ended."""
    return sum(runs.get(state, 0) for state in DONE_STATES)


def total(sweep: Mapping[str, Any]) -> int | None:
    """How many runs a sweep will have at most; None if nothing limits them."""
    limits = [limit for limit in (sweep.get("grid_size"), sweep.get("run_cap")) if limit is not None]
    return min(limits) if limits else None


def of_text(ended: int, most: int | None) -> str:
    """``3 of 6 runs``, or ``3 runs`` where there is no end."""
    return count_text(ended, "run") if most is None else f"{ended} of {count_text(most, 'run')}"


def progress_text(sweep: Mapping[str, Any]) -> str:
    """``3 of 6``, or ``3`` where there is no end."""
    ended, most = done(sweep["runs"]), total(sweep)
    return str(ended) if most is None else f"{ended} of {most}"


def states_text(runs: Mapping[str, int], *, running_too: bool = True) -> str:
    """``4 finished, 1 failed, 2 running``, leaving out what is none."""
    order = (*DONE_STATES, *(("running", "queued", "preempted") if running_too else ()))
    return ", ".join(f"{runs[state]} {state}" for state in order if runs.get(state))


def sweep_path(sweep: Mapping[str, Any]) -> str:
    """``ENTITY/PROJECT/ID``."""
    return f"{sweep['entity']}/{sweep['project']}/{sweep['id']}"
