"""What every coordinate of the encoded search space is, and what all kinds of them need."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from besom.space.distributions import Distribution
from besom.space.options import LARGEST

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# The part of a law with tails that is left out at each end of the coordinates.
TAIL = 0.0005


class Column(ABC):
    """What all share. ``cells`` is the number of values that coordinates stand for; 0: a continuous range."""

    cells: int
    is_category = False

    @abstractmethod
    def coordinate(self, value: Any) -> float | None:
        """Where a value lies, clipped to the range; None if it is no number and a number is needed."""

    @abstractmethod
    def value(self, x: float) -> Any:
        """The reachable value nearest to a coordinate."""

    @abstractmethod
    def snap(self, x: Floats) -> Floats:
        """Each coordinate moved to that of the reachable value nearest to it."""

    @abstractmethod
    def from_unit(self, u: Floats) -> Floats:
        """The coordinates of the values that have these quantiles, each in (0, 1), by the parameter's own law."""

    @abstractmethod
    def code(self, x: Floats) -> Integers:
        """Whole numbers from 0, equal for coordinates of the same value."""

    @abstractmethod
    def at(self, code: Floats) -> Floats:
        """The coordinates that have these codes."""

    def weights(self) -> Floats:
        """The probability of each listed value; raises TypeError for a column without a list."""
        raise TypeError("only a list of values has a probability for each of them")

    def borders(self, x: Floats) -> tuple[Floats, Floats]:
        """Where the cells around coordinates begin and end; raises TypeError for a column without cells."""
        raise TypeError("only countable numbers have cells")


def number_of(value: Any) -> float | None:
    """The value if it is a number, in the range of numbers that options can have; else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        return None
    return min(max(value, -LARGEST), LARGEST)


def indices_at(distribution: Distribution, u: Floats) -> Floats:
    """The index of the value at each quantile, as floats."""
    return np.array([distribution.finite_index(each) for each in u.tolist()], dtype=np.float64)


def probabilities_of(distribution: Distribution, cells: int) -> Floats:
    """How likely each value of a list is."""
    weights = distribution.finite_weights()
    return np.full(cells, 1.0 / cells) if weights is None else np.array(weights) / sum(weights)
