"""Distributions over a list or over whole numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, ClassVar

from besom.common.json_numbers import dumps
from besom.space.continuous import check_order, is_finite_number
from besom.space.identity import identity
from besom.space.options import BadOption

# What len() can count.
MOST_VALUES = 2**62


class Discrete(ABC):
    """What all of them share: countable values, of which `quantile` picks one by its index."""

    @abstractmethod
    def finite_values(self) -> Sequence[Any]:
        """The values that can be drawn, each once."""

    @abstractmethod
    def finite_index(self, u: float) -> int:
        """Where `quantile` of ``u`` stands in `finite_values`."""

    def quantile(self, u: float) -> Any:
        """The value below which the part ``u`` of all draws lies, in the order of `finite_values`."""
        return self.finite_values()[self.finite_index(u)]

    def grid_values(self) -> Sequence[Any] | None:
        """The same values as those drawn at random."""
        return self.finite_values()

    def finite_weights(self) -> Sequence[float] | None:
        """None: all values alike."""
        return None


@dataclass(frozen=True)
class Constant(Discrete):
    """One value for all runs."""

    value: Any
    kind: ClassVar[str] = "constant"
    scale: ClassVar[str] = "constant"

    def finite_values(self) -> Sequence[Any]:
        """The value."""
        return (self.value,)

    def finite_index(self, u: float) -> int:
        """Always 0."""
        return 0

    def contains(self, value: Any) -> bool:
        """True for the same value."""
        return identity(value) == identity(self.value)

    def bounds_text(self) -> str:
        """The value as JSON."""
        return dumps(self.value)


class _Listed(Discrete):
    """Values from a list in which each may stand several times."""

    values: tuple[Any, ...]
    scale: ClassVar[str] = "categorical"

    @cached_property
    def _positions(self) -> dict[str, int]:
        """Where each distinct value stands in `finite_values`."""
        keys = dict.fromkeys(identity(value) for value in self._reachable)
        return {key: position for position, key in enumerate(keys)}

    @cached_property
    def _distinct(self) -> tuple[Any, ...]:
        """The first of equal values each, in the order of the list."""
        first: dict[str, Any] = {}
        for value in self._reachable:
            first.setdefault(identity(value), value)
        return tuple(first.values())

    @cached_property
    def _index_of_item(self) -> tuple[int, ...]:
        """For each item of the list that can be drawn, where its value stands in `finite_values`."""
        return tuple(self._positions[identity(value)] for value in self._reachable)

    @property
    def _reachable(self) -> tuple[Any, ...]:
        return self.values

    def finite_values(self) -> Sequence[Any]:
        """The distinct values in the order of the list."""
        return self._distinct

    def contains(self, value: Any) -> bool:
        """True for a value of the list."""
        return identity(value) in self._positions


@dataclass(frozen=True)
class Categorical(_Listed):
    """Each item of the list alike, so a value listed twice is drawn twice as often."""

    values: tuple[Any, ...]
    kind: ClassVar[str] = "categorical"

    def finite_index(self, u: float) -> int:
        """The value of item ``⌊u n⌋``."""
        return self._index_of_item[_cell(u, len(self.values))]

    def finite_weights(self) -> Sequence[float] | None:
        """How often each value is listed; None when that is once for all."""
        if len(self._distinct) == len(self.values):
            return None
        weights = [0.0] * len(self._distinct)
        for index in self._index_of_item:
            weights[index] += 1
        return weights

    def bounds_text(self) -> str:
        """The values as JSON, cut when there are many."""
        return _list_text([dumps(value) for value in self.values])


@dataclass(frozen=True)
class WeightedCategorical(_Listed):
    """Items of the list with probabilities; one of probability 0 is never drawn."""

    values: tuple[Any, ...]
    probabilities: tuple[float, ...]
    kind: ClassVar[str] = "categorical_w_probabilities"

    def __post_init__(self) -> None:
        if len(self.probabilities) != len(self.values):
            raise BadOption(
                "probabilities",
                f"`probabilities` has {len(self.probabilities)} items and `values` has {len(self.values)}: "
                "write one probability for each value",
            )
        for probability in self.probabilities:
            if not is_finite_number(probability) or probability < 0:
                raise BadOption("probabilities", f"a probability must be a number, 0 or larger, not {probability!r}")
        total = sum(self.probabilities)
        if abs(total - 1) > 1e-5:
            raise BadOption("probabilities", f"`probabilities` add up to {total:.6g}: they must add up to 1")

    @property
    def _reachable(self) -> tuple[Any, ...]:
        return tuple(value for value, p in zip(self.values, self.probabilities, strict=True) if p > 0)

    @cached_property
    def _reachable_probabilities(self) -> tuple[float, ...]:
        return tuple(p for p in self.probabilities if p > 0)

    @cached_property
    def _cumulated(self) -> tuple[float, ...]:
        return tuple(accumulate(self._reachable_probabilities))

    def finite_index(self, u: float) -> int:
        """The inverse cdf on the cumulated probabilities, in the order of the list."""
        item = bisect_right(self._cumulated, u * self._cumulated[-1])
        return self._index_of_item[min(item, len(self._index_of_item) - 1)]

    def finite_weights(self) -> Sequence[float]:
        """The probability of each distinct value."""
        weights = [0.0] * len(self._distinct)
        for index, probability in zip(self._index_of_item, self._reachable_probabilities, strict=True):
            weights[index] += probability
        return weights

    def grid_values(self) -> None:
        """None: a grid runs every value once, so probabilities have no meaning there."""

    def bounds_text(self) -> str:
        """The values as JSON with their probabilities, cut when there are many."""
        pairs = zip(self.values, self.probabilities, strict=True)
        return _list_text([f"{dumps(value)} ({probability:g})" for value, probability in pairs])


@dataclass(frozen=True)
class IntUniform(Discrete):
    """Whole numbers from ``min`` to ``max``, both included."""

    min: int
    max: int
    kind: ClassVar[str] = "int_uniform"
    scale: ClassVar[str] = "linear"

    def __post_init__(self) -> None:
        check_order(self.min, self.max)
        if self.max - self.min >= MOST_VALUES:
            raise BadOption("max", "`min` and `max` are too far apart: at most 2^62 whole numbers can be counted")

    def finite_values(self) -> range:
        """All of them in order."""
        return range(self.min, self.max + 1)

    def finite_index(self, u: float) -> int:
        """``⌊u n⌋``."""
        return _cell(u, self.max - self.min + 1)

    def contains(self, value: Any) -> bool:
        """True for a whole number in the range."""
        return is_finite_number(value) and value == int(value) and self.min <= value <= self.max

    def bounds_text(self) -> str:
        """``min … max``."""
        return f"{self.min} … {self.max}"


def _cell(u: float, cells: int) -> int:
    """Which of equal cells of 0 … 1 holds ``u``; the product may round up to the number of cells."""
    return min(int(u * cells), cells - 1)


def _list_text(items: Sequence[str], width: int = 60) -> str:
    text = ", ".join(items)
    if len(text) <= width:
        return text
    kept = 1
    while len(", ".join(items[: kept + 1])) <= width:
        kept += 1
    return f"{', '.join(items[:kept])[:width]}, … ({len(items)} values)"
