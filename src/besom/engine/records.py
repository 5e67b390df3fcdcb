"""Sweeps, runs, attempts and agents as plain values: what the store reads and the decisions look at.

Times are seconds since 1970 (UTC). ``id`` is the store's own number, ``uid`` the name that other processes use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from besom.metric import Metric
from besom.sweep_config.config import Retry
from besom.wire.runs import RunState
from besom.wire.sweeps import SweepState


class Sweep(Struct, frozen=True):
    """A sweep and its counters.

    ``size`` is the number of draws (None: no end), ``next_number`` the next draw, ``created_runs`` how many runs the
    sweep has made (removed ones too), ``waiting`` how many of its runs wait to be handed out again. ``counts`` says
    how many runs are in each state. ``run_time_ms`` is the run time of attempts that have ended, and ``since_best`` how
    many runs have ended well since the best of them.
    """

    id: int
    uid: str
    project_id: int
    entity: str
    project: str
    name: str
    state: SweepState
    ended_reason: str | None
    method: str
    metric: Metric | None
    retry: Retry
    run_cap: int | None
    time_cap_s: float | None
    seed: int
    size: int | None
    next_number: int
    created_runs: int
    waiting: int
    first_started: float | None
    notes: tuple[str, ...]
    counts: Mapping[RunState, int]
    compute_cap_s: float | None = None
    plateau_runs: int | None = None
    run_time_ms: int = 0
    since_best: int = 0


class Run(Struct, frozen=True):
    """A run. ``attempt`` is the number of its latest attempt, ``by_sweep`` tells that its sweep chose its params.

    ``waiting_since`` is set while it waits to be handed out again. ``stop_wanted`` is what its watcher is told.
    ``reads`` are the swept names that its script is known to have read; None if it never told.
    """

    id: int
    uid: str
    project_id: int
    sweep_id: int | None
    name: str
    display_name: str
    idx: int | None
    state: RunState
    attempt: int
    params: Mapping[str, Any]
    params_hash: str | None
    by_sweep: bool
    waiting_since: float | None
    stop_wanted: str | None
    stop_reason: str | None
    score: float | None
    warnings: tuple[str, ...]
    started: float | None
    reads: Sequence[str] | None = None


class Attempt(Struct, frozen=True):
    """One training of a run. ``state`` is a run state or ``lost`` (its lease ran out).

    ``base_step`` is set when it went on from a checkpoint: rows of earlier attempts below that step come first.
    """

    id: int
    run_id: int
    number: int
    agent_id: int | None
    state: str
    lease_until: float
    started: float
    preempting: bool
    has_rows: bool
    base_step: int | None
    summary_set: Mapping[str, Any]
    defines: Mapping[str, Any]
    script_exit: int | None
    script_error: str | None
    ended: float | None = None


class Agent(Struct, frozen=True):
    """A process that asks for runs."""

    id: int
    uid: str
    sweep_id: int
    host: str
    state: str
    off_now: bool
