"""A sweep's metric: which logged name is followed, which way is better, and what a run's one number is.

In: a metric's name, goal and mode, and values. Out: scores and comparisons.
This is the only place that knows what "better" means: search, ranking, target, charts and API ask here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Goal = Literal["minimize", "maximize"]
Mode = Literal["best", "last"]


@dataclass(frozen=True, slots=True)
class Metric:
    """The followed metric. ``target`` is in the metric's own unit; ``mode`` says which value is a run's score."""

    name: str
    goal: Goal = "minimize"
    mode: Mode = "best"
    target: float | None = None
    impute: Literal["worst", "best", "latest"] = "worst"
    impute_while_running: Literal["false", "worst", "best", "latest"] = "false"

    def better(self, value: float, other: float) -> bool:
        """True if ``value`` is strictly better than ``other``; a non-finite value is never better."""
        if not math.isfinite(value):
            return False
        if not math.isfinite(other):
            return True
        return value < other if self.goal == "minimize" else value > other

    def score(self, values: Iterable[float]) -> float | None:
        """A run's one number out of its logged values in order; None if none of them is finite."""
        finite = [value for value in values if math.isfinite(value)]
        if not finite:
            return None
        if self.mode == "last":
            return finite[-1]
        return min(finite) if self.goal == "minimize" else max(finite)

    def reached(self, score: float) -> bool:
        """True if a run with this score has met the target."""
        if self.target is None:
            return False
        return score <= self.target if self.goal == "minimize" else score >= self.target

    def as_loss(self, value: float) -> float:
        """The value turned so that smaller is better; its own inverse."""
        return value if self.goal == "minimize" else -value
