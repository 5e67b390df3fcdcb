"""One coordinate of the encoded search space: how the values of a parameter lie in 0 … 1, or which category they are.

A column maps single values to coordinates and back, and arrays of coordinates (without NaN) to those of values that
can be reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from besom.space.column import TAIL, Column, Floats, Integers, indices_at, number_of, probabilities_of
from besom.space.continuous import Continuous, LogNormal, LogUniform, Normal, Uniform, is_finite_number
from besom.space.discrete import IntUniform
from besom.space.distributions import Distribution
from besom.space.identity import identity
from besom.space.quantized import Quantized
from besom.space.steps import IntSteps, LogSteps, QuantizedSteps, Ranks, UnboundedSteps

# Shorter lists of numbers are categories: their order tells little.
FEWEST_RANKS = 4
# Unbounded steps beyond this number are taken for a continuous range: floats hardly tell them apart.
MOST_STEPS = 2**50
# Continuous coordinates that agree to this are the same point.
RESOLUTION = 2.0**-30


class Range(Column):
    """A continuous law: its cdf, which is linear or logarithmic for the uniform kinds and loses `TAIL` for others."""

    cells = 0

    def __init__(self, distribution: Distribution, law: Continuous) -> None:
        self._distribution = distribution
        self._law = law
        self._low = 0.0 if isinstance(law, (Uniform, LogUniform)) else TAIL

    def coordinate(self, value: Any) -> float | None:
        """The cdf."""
        number = number_of(value)
        return None if number is None else min(max(self._law.cdf(number), self._low), 1 - self._low)

    def value(self, x: float) -> Any:
        """The quantile."""
        return self._distribution.quantile(min(max(float(x), self._low), 1 - self._low))

    def snap(self, x: Floats) -> Floats:
        """Clipped."""
        return np.clip(x, self._low, 1 - self._low)

    def from_unit(self, u: Floats) -> Floats:
        """The quantiles themselves."""
        return self.snap(u)

    def code(self, x: Floats) -> Integers:
        """Multiples of `RESOLUTION`."""
        return np.rint(self.snap(x) / RESOLUTION).astype(np.int64)

    def at(self, code: Floats) -> Floats:
        """The multiples, clipped."""
        return self.snap(code * RESOLUTION)


class Categories(Column):
    """Values without an order: the index of each. One that is not listed gets an index of its own from n on."""

    is_category = True

    def __init__(self, distribution: Distribution, values: Sequence[Any]) -> None:
        self._distribution = distribution
        self._values = values
        self._indices = {identity(value): index for index, value in enumerate(values)}
        self.cells = len(values)

    def coordinate(self, value: Any) -> float | None:
        """The index."""
        return float(self._indices.setdefault(identity(value), len(self._indices)))

    def value(self, x: float) -> Any:
        """The listed value."""
        return self._values[int(self.snap(np.array([x]))[0])]

    def snap(self, x: Floats) -> Floats:
        """Rounded to an index of the list."""
        return np.clip(np.rint(x), 0.0, self.cells - 1.0)

    def from_unit(self, u: Floats) -> Floats:
        """By the index of each quantile."""
        return indices_at(self._distribution, u)

    def code(self, x: Floats) -> Integers:
        """The index, of unlisted values too."""
        return np.rint(np.maximum(x, 0.0)).astype(np.int64)

    def at(self, code: Floats) -> Floats:
        """The index itself."""
        return code

    def weights(self) -> Floats:
        """How likely each value is."""
        return probabilities_of(self._distribution, self.cells)


def make_column(distribution: Distribution) -> Column | None:
    """The column of a parameter; None if there is only one value that it can have."""
    values = distribution.finite_values()
    if values is not None:
        return _finite_column(distribution, values) if len(values) > 1 else None
    if distribution.quantile(TAIL) == distribution.quantile(1 - TAIL):
        return None
    if isinstance(distribution, Continuous):
        return Range(distribution, distribution)
    if isinstance(distribution, Quantized) and isinstance(distribution.base, (Normal, LogNormal)):
        return _unbounded_column(distribution, distribution.base)
    raise TypeError(f"{distribution.kind} has no coordinates")


def _unbounded_column(distribution: Quantized, law: Normal | LogNormal) -> Column:
    first = distribution.steps(TAIL)
    cells = distribution.steps(1 - TAIL) - first + 1
    return UnboundedSteps(distribution, law, first, cells) if cells <= MOST_STEPS else Range(distribution, law)


def _finite_column(distribution: Distribution, values: Sequence[Any]) -> Column:
    if isinstance(distribution, IntUniform):
        return IntSteps(distribution)
    if isinstance(distribution, Quantized):
        column = LogSteps if distribution.scale == "log" else QuantizedSteps
        return column(distribution, distribution.first or 0, len(values))
    return Ranks(distribution, values) if _is_ladder(values) else Categories(distribution, values)


def _is_ladder(values: Sequence[Any]) -> bool:
    """True for enough numbers that rise, or fall, from each to the next."""
    if len(values) < FEWEST_RANKS or not all(is_finite_number(value) for value in values):
        return False
    steps = np.diff(np.array(values, dtype=np.float64))
    return bool(np.all(steps > 0) or np.all(steps < 0))
