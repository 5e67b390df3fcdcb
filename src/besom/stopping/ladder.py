"""Where a rule looks at a run: rungs in rising order."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

# Far above what a run logs, and far below where powers of eta overflow.
HIGHEST = 10**15
_HIGHEST_LOG2 = 50
# A rule that looks often does so at each value first, and then each time a run has become a fifth longer.
_PART = 5


@dataclass(frozen=True, slots=True)
class Ladder:
    """Rungs as counts of a run's finite values, or as values of the logged key ``resource``; a range has no gaps."""

    rungs: Sequence[int]
    resource: str | None = None

    @property
    def track(self) -> str:
        """The name of what its rungs measure."""
        return "count" if self.resource is None else f"key {self.resource}"

    def first(self, most: int) -> list[int]:
        """The first ``most`` rungs in order."""
        return list(self.rungs[:most])

    def at(self, position: float) -> int | None:
        """The highest rung that a run at this place has passed; None below the first."""
        if not position >= self.rungs[0]:
            return None
        # Rungs are different whole numbers: this many at most are passed, and of a range just as many.
        passed = min(len(self.rungs), int(position) - self.rungs[0] + 1)
        if not isinstance(self.rungs, range):
            passed = bisect_right(self.rungs, position, 0, passed)
        return self.rungs[passed - 1]

    def place(self, rung: int) -> str:
        """``step 9`` or ``epoch 9``."""
        return f"{self.resource or 'step'} {rung}"

    def explain(self, metric_name: str) -> str:
        """``at 3, 9, 27, 81, … values of loss``."""
        if isinstance(self.rungs, range):
            return f"at each value of {metric_name}" + (f" from number {self.rungs[0]} on" if self.rungs[0] > 1 else "")
        shown = self.first(4)
        listed = ", ".join(map(str, shown)) + (", …" if len(self.rungs) > len(shown) else "")
        return f"at {self.resource} {listed}" if self.resource else f"at {listed} values of {metric_name}"


def each_value(first: int) -> Ladder:
    """A rung at every count of values from ``first`` on."""
    return Ladder(range(max(first, 1), HIGHEST + 1))


def by_factor(first: int, factor: float) -> list[int]:
    """``int(first factor^k)`` for k = 0 … 99, as far as a run can reach."""
    powers = range(min(100, int(_HIGHEST_LOG2 / math.log2(factor)) + 1))
    return sorted({int(first * factor**power) for power in powers})


def down_by_factor(last: int, factor: float, most: int) -> list[int]:
    """``int(last / factor^k)`` for k = 1 … ``most``, down to 1."""
    powers = range(1, min(most, int(_HIGHEST_LOG2 / math.log2(factor))) + 1)
    return sorted({int(last / factor**power) for power in powers} - {0})


def often(first: int, every: int) -> list[int]:
    """``first``, and each time ``every`` or a fifth more: 1, 2, … 10, 12, 14, 16, 19, … A run of any length has few."""
    rungs = [first]
    while rungs[-1] < HIGHEST:
        rungs.append(rungs[-1] + max(every, rungs[-1] // _PART))
    return rungs
