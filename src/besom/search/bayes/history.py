"""What the model learns from: the runs of a sweep as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from besom.search.bayes.partial_curves import PartialCurves
from besom.search.searcher import Observation

Array = NDArray[np.float64]

ENDED = frozenset({"finished", "stopped", "killed", "failed", "crashed"})
LARGEST_LOSS = 1e100
FAILED = frozenset({"failed", "crashed"})


@dataclass(frozen=True, slots=True)
class Imputing:
    """What stands for a missing score, in the sweep's words; None: nothing does."""

    ended: str | None = None
    running: str | None = None


@dataclass(frozen=True, slots=True)
class PlacedRun:
    """A run with its point (D,), None if it has none; ``key`` names the point if it can be drawn."""

    observation: Observation
    x: Array | None
    key: bytes | None

    @property
    def has_ended(self) -> bool:
        """False for runs under way; preempted ones go on."""
        return self.observation.state in ENDED

    @property
    def has_failed(self) -> bool:
        """True if it has ended without a value that could stand for it."""
        return self.has_ended and (self.observation.state in FAILED or self.observation.loss is None)


@dataclass(frozen=True, slots=True)
class History:
    """Runs in the order of their numbers.

    ``x`` (n, D) and ``losses`` (n,) are the runs with a value; ``deviations`` (n,) are the standard deviations of the
    errors of those that are forecasts, in the metric's unit; ``numbers`` name the runs. ``ended`` (e, D) are all runs
    that have ended, ``ok`` (e,) tells which of them gave a value. ``pending`` (p, D) are under way, with a loss in
    ``pending_losses`` (p,) where one stands for what is to come, else NaN. ``seen`` are the numbers of all of them.
    """

    x: Array
    losses: Array
    deviations: Array
    numbers: tuple[int, ...]
    ended: Array
    ok: NDArray[np.bool_]
    pending: Array
    pending_losses: Array
    seen: tuple[int, ...]
    warnings: tuple[str, ...]

    @property
    def size(self) -> int:
        """All runs that were handed out, as far as the model can place them."""
        return len(self.ended) + len(self.pending)

    @property
    def failed(self) -> Array:
        """The points (f, D) of the runs that gave no value."""
        return self.ended[~self.ok]


def make_history(runs: Sequence[PlacedRun], unheard: Sequence[Array], imputing: Imputing, dimension: int) -> History:
    """Sorts the runs, given in the order of their numbers, and points (D,) under way that no run was told of."""
    placed = [(run.x, run) for run in runs if run.x is not None]
    ended = [(x, run) for x, run in placed if run.has_ended]
    under_way = [(x, run) for x, run in placed if not run.has_ended]
    curves = PartialCurves([run.observation for _, run in placed])
    finals = {run.observation.number: curves.final(run.observation) for _, run in ended if not run.has_failed}
    worst = max((loss for loss, _ in finals.values()), default=np.nan)
    if imputing.ended is not None and finals:
        for _, run in ended:
            finals.setdefault(run.observation.number, (_imputed(run, imputing.ended, worst), 0.0))
    valued = [(x, run.observation.number) for x, run in ended if run.observation.number in finals]
    known = [_imputed(run, imputing.running, worst) for _, run in under_way]
    left_out = len(runs) - len(placed)
    return History(
        x=_points([x for x, _ in valued], dimension),
        losses=np.array([finals[number][0] for _, number in valued]),
        deviations=np.array([finals[number][1] for _, number in valued]),
        numbers=tuple(number for _, number in valued),
        ended=_points([x for x, _ in ended], dimension),
        ok=np.array([not run.has_failed for _, run in ended], dtype=np.bool_),
        pending=_points([*(x for x, _ in under_way), *unheard], dimension),
        pending_losses=np.array([*known, *(np.nan for _ in unheard)]),
        seen=tuple(run.observation.number for _, run in placed),
        warnings=(f"{left_out} of {len(runs)} runs lack a swept parameter and are left out",) if left_out else (),
    )


def bounded(observation: Observation) -> Observation:
    """The same with finite losses, cut at `LARGEST_LOSS` so that their squares are numbers too; others are missing."""
    loss = observation.loss
    rungs = tuple((count, _cut(value)) for count, value in observation.rungs if isfinite(value))
    return replace(observation, loss=None if loss is None or not isfinite(loss) else _cut(loss), rungs=rungs)


def _cut(loss: float) -> float:
    return min(max(float(loss), -LARGEST_LOSS), LARGEST_LOSS)


def _imputed(run: PlacedRun, rule: str | None, worst: float) -> float:
    """What stands for a missing loss: by ``worst``, or for want of one of its own, the worst final one; NaN by None."""
    if rule is None:
        return np.nan
    loss = run.observation.loss
    return worst if rule == "worst" or loss is None else loss


def _points(rows: list[Array], dimension: int) -> Array:
    return np.array(rows).reshape(len(rows), dimension)
