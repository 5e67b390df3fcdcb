"""What a sweep file says, checked and complete: the value that every other room works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from besom.metric import Metric
from besom.space import SearchSpace
from besom.sweep_config.problems import Problem


@dataclass(frozen=True, slots=True)
class Retry:
    """How many further attempts a run gets after each kind of ending; None: no limit."""

    failed: int | None = 0
    crashed: int | None = 2
    preempted: int | None = None


@dataclass(frozen=True, slots=True)
class SweepConfig:
    """A valid sweep config.

    ``raw`` is the JSON-like object as written, which can be read again at any time. ``early_terminate`` holds the
    options of each stopping rule (``type`` included); ``command`` is unexpanded, None for W&B's default;
    ``time_cap_s`` and ``compute_cap_s`` are in seconds. ``notes`` are remarks that are no errors.
    """

    raw: Mapping[str, Any]
    method: str
    space: SearchSpace
    metric: Metric | None = None
    early_terminate: tuple[Mapping[str, Any], ...] = ()
    program: str | None = None
    command: tuple[Any, ...] | None = None
    name: str | None = None
    description: str = ""
    entity: str | None = None
    project: str | None = None
    seed: int | None = None
    order: Literal["sequential", "shuffled"] = "sequential"
    allow_repeats: bool = False
    run_cap: int | None = None
    time_cap_s: float | None = None
    compute_cap_s: float | None = None
    plateau_runs: int | None = None
    retry: Retry = field(default_factory=Retry)
    prior_runs: tuple[str, ...] = ()
    # Places differ between a text and its `raw`, the config does not.
    notes: tuple[Problem, ...] = field(default=(), compare=False)
