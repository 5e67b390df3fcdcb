"""Requests and answers about sweeps."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

SweepState = Literal["pending", "running", "paused", "finished", "canceled"]


class SweepSource(Struct, kw_only=True, forbid_unknown_fields=True):
    """A sweep config as somebody wrote it: text of a file, or an object.

    ``file`` is the name used in messages. ``format`` tells how to read ``text``; a ``config`` object needs none.
    """

    text: str | None = None
    config: Any = None
    format: Literal["yaml", "json"] = "yaml"
    file: str = ""


class NewSweep(SweepSource, kw_only=True, forbid_unknown_fields=True):
    """Asks for a sweep. Fields given here win over those in the config."""

    request_id: str
    entity: str | None = None
    project: str | None = None
    name: str | None = None
    program: str | None = None
    prior_runs: list[str] = field(default_factory=list)
    # Used when neither the request nor the config names a project (the rule of W&B).
    default_project: str | None = None


class EditSweep(Struct, kw_only=True, forbid_unknown_fields=True):
    """What may change while a sweep runs; absent fields stay. ``run_cap: 0`` lifts the cap."""

    name: str | None = None
    description: str | None = None
    run_cap: int | None = None


class Problem(Struct, kw_only=True):
    """One thing wrong with a sweep config (``error``) or worth knowing (``note``)."""

    sentence: str
    severity: Literal["error", "note"] = "error"
    file: str = ""
    line: int | None = None
    column: int | None = None
    key: str = ""


class RunCounts(Struct, kw_only=True):
    """How many runs of a sweep are in each state."""

    queued: int = 0
    running: int = 0
    finished: int = 0
    stopped: int = 0
    killed: int = 0
    failed: int = 0
    crashed: int = 0
    preempted: int = 0


class MetricAnswer(Struct, kw_only=True):
    """The metric a sweep follows."""

    name: str
    goal: Literal["minimize", "maximize"]
    mode: Literal["best", "last"]
    target: float | None = None


class SweepAnswer(Struct, kw_only=True):
    """A sweep as every door shows it. Times are ISO 8601 in UTC.

    In lists of sweeps a config of more than 16,384 characters is left out: ``config`` null and ``config_text`` empty.
    ``model_best`` is the run that the sweep's model took for the best when it last chose params, which allows for
    noise; None where that is ``best_run``, or no model does.
    """

    id: str
    entity: str
    project: str
    name: str
    description: str
    state: SweepState
    ended_reason: str | None
    method: str
    metric: MetricAnswer | None
    config: Any
    config_text: str
    program: str | None
    run_cap: int | None
    grid_size: int | None
    runs: RunCounts
    agents: int
    best_score: Any
    best_run: str | None
    model_best: str | None
    notes: list[str]
    created: str
    updated: str
    ended: str | None
    url: str
    version: int


class ParameterAnswer(Struct, kw_only=True):
    """One row of the resolved search space."""

    name: str
    distribution: str
    bounds: str
    scale: str
    size: int | None


class CheckAnswer(Struct, kw_only=True):
    """What a sweep config means: the resolved space, sampled params, first command line, rungs, notes.

    ``grid_size`` is the number of points of a finite space (None: infinite). ``stopping`` has a sentence for each rule
    of early stopping, ``rungs`` the first counts of values at which these compare runs.
    """

    method: str
    metric: MetricAnswer | None
    parameters: list[ParameterAnswer]
    grid_size: int | None
    samples: list[dict[str, Any]]
    command: list[str]
    rungs: list[int]
    stopping: list[str]
    notes: list[Problem]


class Rerun(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which runs of a sweep to queue again."""

    failed: bool = True
    crashed: bool = True


class RerunAnswer(Struct, kw_only=True):
    """Names of the runs that were queued again."""

    runs: list[str]
