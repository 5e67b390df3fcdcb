"""What the values of one key of one run add up to.

Rows of equal step are one row, and its last value wins: so the value of the newest step stays open, and only when a
later step comes is it added to the rest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from besom.common.json_numbers import as_number, number_word
from besom.metric import Goal, Metric


@dataclass(slots=True)
class Fold:
    """The closed part (``n`` finite values, their total and extremes, ``nan_count`` others) and the open value.

    ``nan_run`` is how many of the last values of the closed part were NaN or infinite, after a finite one.

    ``last`` is the open value: a float (not finite too), or any JSON value with ``is_number`` False. ``last_step``
    is None before the first value.
    """

    n: int = 0
    total: float = 0.0
    min: float | None = None
    min_step: int | None = None
    max: float | None = None
    max_step: int | None = None
    nan_count: int = 0
    nan_run: int = 0
    first: float | None = None
    last_finite: float | None = None
    last: Any = None
    last_step: int | None = None
    is_number: bool = True

    def take(self, step: int, value: Any) -> None:
        """Adds a value as logged (words of non-finite numbers included)."""
        number = to_number(value)
        if self.last_step is not None and step != self.last_step:
            if step < self.last_step:
                # Another process logs into the same run and is behind: a row of its own, the newest stays open.
                self._close(step, number)
                return
            self.close_open()
        self.last_step = step
        self.is_number = number is not None
        self.last = value if number is None else number

    def close_open(self) -> None:
        """Adds the open value to the closed part: a later step has come."""
        if self.last_step is not None:
            self.nan_run = self.nan_streak()
            self._close(self.last_step, self.open_number())

    def open_number(self) -> float | None:
        """The open value if it is a number, finite or not."""
        return self.last if self.is_number and self.last_step is not None else None

    def nan_streak(self) -> int:
        """How many of the last values were NaN or infinite, after a finite one; what is no number counts as nothing."""
        number = self.open_number()
        if number is None:
            return self.nan_run
        return 0 if self.n == 0 or math.isfinite(number) else self.nan_run + 1

    def _open_finite(self) -> float | None:
        number = self.open_number()
        return number if number is not None and math.isfinite(number) else None

    def _close(self, step: int, number: float | None) -> None:
        if number is None:
            return
        if not math.isfinite(number):
            self.nan_count += 1
            return
        if self.first is None:
            self.first = number
        self.n += 1
        self.total += number
        self.last_finite = number
        if self.min is None or number < self.min:
            self.min, self.min_step = number, step
        if self.max is None or number > self.max:
            self.max, self.max_step = number, step

    def count(self) -> int:
        """How many rows have a finite value."""
        return self.n + (self._open_finite() is not None)

    def mean(self) -> float:
        """The mean of the finite values, of which there must be one; infinite where their sum is beyond a double."""
        return (self.total + sum(self._finite(None))) / self.count()

    def best(self, goal: Goal) -> float | None:
        """The best finite value; None without one."""
        return self.smallest() if goal == "minimize" else self.largest()

    def smallest(self) -> float | None:
        """The smallest finite value."""
        return min(self._finite(self.min), default=None)

    def largest(self) -> float | None:
        """The largest finite value."""
        return max(self._finite(self.max), default=None)

    def _finite(self, closed: float | None) -> list[float]:
        return [value for value in (closed, self._open_finite()) if value is not None]

    def score(self, metric: Metric) -> float | None:
        """The run's one number by the metric's rule."""
        if metric.mode == "last":
            last = self._open_finite()
            return self.last_finite if last is None else last
        return self.best(metric.goal)

    def summary(self, kinds: Sequence[str]) -> Any:
        """What the summary shows: the last value, or by `define_metric` an object such as ``{"min": 0.1}``."""
        last = number_word(self.last) if isinstance(self.last, float) else self.last
        if not kinds:
            return last
        finite = self._finite(None)
        shown = {
            "min": self.smallest(),
            "max": self.largest(),
            "mean": number_word(self.mean()) if self.count() else None,
            "first": self.first if self.first is not None else next(iter(finite), None),
            "last": last,
        }
        return {kind: shown[kind] for kind in kinds if kind in shown and shown[kind] is not None}


def to_number(value: Any) -> float | None:
    """The number in a logged value; None for text, objects, booleans and whole numbers beyond a double."""
    try:
        return as_number(value)
    except OverflowError:
        return None
