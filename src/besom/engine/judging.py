"""Early stopping: which rungs a run has reached, and what the rules say there."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from besom.engine.folding import Fold
from besom.metric import Metric
from besom.stopping.stopper import RungValue, Stop, Stopper


class RungWatch:
    """Follows a run's metric and remembers the rungs that it touches, and its longest streak of NaN and infinities.

    ``touched`` maps a rung to the value there and the best value up to there, or to None when the row that had
    reached it was logged again without a finite value.
    """

    def __init__(self, metric: Metric, stoppers: Sequence[Stopper]) -> None:
        self._metric = metric
        self._stoppers = stoppers
        self.touched: dict[int, RungValue | None] = {}
        self.longest_streak = 0

    def take(self, fold: Fold, step: int, value: float) -> None:
        """Puts a value of the metric into its fold, and the rung that it reaches (or leaves) into ``touched``."""
        before = fold.count()
        fold.take(step, value)
        if not self._stoppers:
            return
        self.longest_streak = max(self.longest_streak, fold.nan_streak())
        count = fold.count()
        if count < before and self.is_rung(before):
            self.touched[before] = None
        if math.isfinite(value) and self.is_rung(count):
            best = fold.best(self._metric.goal)
            self.touched[count] = RungValue(value, value if best is None else best)

    def is_rung(self, count: int) -> bool:
        """True if one of the rules looks at the ``count``-th finite value."""
        return any(stopper.is_rung(count) for stopper in self._stoppers)


def judge(
    stoppers: Sequence[Stopper], rung: int, mine: RungValue, peers: Callable[[], Sequence[RungValue]]
) -> Stop | None:
    """The first verdict against a run that has just reached ``rung``; ``peers`` are all runs there, itself included."""
    for stopper in stoppers:
        if stopper.is_rung(rung) and (verdict := stopper.judge(rung, mine, peers())) is not None:
            return verdict
    return None


def judge_streak(stoppers: Sequence[Stopper], streak: int) -> Stop | None:
    """The first verdict against a run whose metric was NaN or infinite ``streak`` times in a row."""
    return next((verdict for stopper in stoppers if (verdict := stopper.judge_streak(streak)) is not None), None)
