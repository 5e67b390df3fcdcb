"""Run and sweep states and the moves between them that are allowed; anything else is a bug and says its story.

Runs::

    queued ──→ running ──→ finished · stopped · killed · failed · crashed      (ends; `rerun` leads back to queued)
      ↑           │ ↑
      └───────────┘ └── preempted                                              (waits for the next hand-out)

Sweeps: ``pending → running ⇄ paused``, all of them ``→ finished · canceled``, and resume leads back.
"""

from __future__ import annotations

from typing import Final

from besom.errors import Refused
from besom.wire.runs import RunState
from besom.wire.sweeps import SweepState

ENDS: Final = frozenset[RunState](["finished", "stopped", "killed", "failed", "crashed"])
# What best and ranking look at, and what may be shown as "so far" beside it.
COUNTED: Final = frozenset[RunState](["finished", "stopped"])
RANKED: Final = COUNTED | {"running"}
RUN_STATES: Final[tuple[RunState, ...]] = (
    "queued", "running", "finished", "stopped", "killed", "failed", "crashed", "preempted",
)  # fmt: skip
OPEN: Final = frozenset[SweepState](["pending", "running", "paused"])

RUN_MOVES: Final[dict[RunState, frozenset[RunState]]] = {
    "queued": frozenset(["running", "killed", "stopped", "crashed"]),
    "running": ENDS | {"preempted", "queued"},
    "preempted": frozenset(["running", "queued", "killed"]),
    "finished": frozenset(["queued"]),
    "stopped": frozenset(["queued"]),
    "killed": frozenset(["queued"]),
    "failed": frozenset(["queued"]),
    # A watcher that was silent for too long may come back to a run that nobody else took.
    "crashed": frozenset(["queued", "running"]),
}
SWEEP_MOVES: Final[dict[SweepState, frozenset[SweepState]]] = {
    "pending": frozenset(["running", "paused", "finished", "canceled"]),
    "running": frozenset(["paused", "finished", "canceled"]),
    "paused": frozenset(["pending", "running", "finished", "canceled"]),
    "finished": frozenset(["pending", "running"]),
    "canceled": frozenset(["pending", "running"]),
}


class InvalidMove(AssertionError):
    """A move that the table does not have: a mistake in Besom itself, with the story of how it came."""


def check_run_move(name: str, attempt: int, old: RunState, new: RunState, why: str) -> None:
    """Raises InvalidMove unless a run may go from ``old`` to ``new`` (staying is always allowed)."""
    if new != old and new not in RUN_MOVES[old]:
        raise InvalidMove(f"run {name}, attempt {attempt}: {old} → {new} is not a move ({why})")


def check_sweep_move(uid: str, old: SweepState, new: SweepState, why: str) -> None:
    """Raises InvalidMove unless a sweep may go from ``old`` to ``new`` (staying is always allowed)."""
    if new != old and new not in SWEEP_MOVES[old]:
        raise InvalidMove(f"sweep {uid}: {old} → {new} is not a move ({why})")


def check_pause(uid: str, state: SweepState) -> None:
    """Raises Refused unless a person may pause a sweep in this state."""
    if state not in OPEN:
        raise Refused(f"Cannot pause {state} sweep {uid}: `besom resume {uid}` opens it again.")


def check_end(uid: str, state: SweepState) -> None:
    """Raises Refused unless a person may stop or cancel a sweep in this state."""
    if state not in OPEN:
        raise Refused(f"Sweep already {state}: {uid} hands out no more runs.")


def check_rerun(name: str, run_state: RunState, by_sweep: bool) -> None:
    """Raises Refused unless a run in this state may be queued again."""
    if not by_sweep:
        raise Refused(f"run {name} was not started by a sweep's agent: start its script again instead")
    if run_state == "running":
        raise Refused(f"run {name} is running: kill it first, or wait for its end")
    if run_state == "queued":
        raise Refused(f"run {name} is queued already")
