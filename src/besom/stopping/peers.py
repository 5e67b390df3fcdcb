"""Other runs as a rule sees them, held in memory."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable

from besom.metric import Metric


class HowMany:
    """Other runs of which only the number is known: for rules that compare nothing."""

    def __init__(self, count: int) -> None:
        self._count = count

    def count(self) -> int:
        """How many there are."""
        return self._count

    def nth(self, index: int) -> float:
        """There is no value; raises IndexError."""
        raise IndexError(f"{self._count} runs are counted, and none was looked at")


class PeerValues:
    """Values in the metric's own unit, best first."""

    def __init__(self, metric: Metric, values: Iterable[float] = ()) -> None:
        self._metric = metric
        self._losses = sorted(map(metric.as_loss, values))

    def add(self, value: float) -> None:
        """One run more has been there."""
        insort(self._losses, self._metric.as_loss(value))

    def count(self) -> int:
        """How many there are."""
        return len(self._losses)

    def nth(self, index: int) -> float:
        """The value at this place, best first, from 0."""
        return self._metric.as_loss(self._losses[index])
