"""Coordinates of countable numbers: each value has a cell of its own in 0 … 1."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from besom.space.column import TAIL, Column, Floats, Integers, indices_at, number_of, probabilities_of
from besom.space.continuous import LogNormal, Normal
from besom.space.discrete import IntUniform
from besom.space.distributions import Distribution
from besom.space.lazy_sequence import LazySequence
from besom.space.quantized import Quantized


class Steps(Column):
    """Countable numbers in the centres of equal cells: value i of n lies at (i + ½)/n."""

    def __init__(self, distribution: Distribution, values: Sequence[Any]) -> None:
        self._distribution = distribution
        self._values = values
        self.cells = len(values)

    def coordinate(self, value: Any) -> float | None:
        """That of a position, which is a fraction for a number between two values."""
        number = number_of(value)
        if number is None:
            return None
        position = min(max(self._position(number), 0.0), self.cells - 1.0)
        return float(self.at(np.array([position]))[0])

    def value(self, x: float) -> Any:
        """One of the values."""
        return self._values[int(self.code(np.array([x]))[0])]

    def snap(self, x: Floats) -> Floats:
        """That of the cell around it."""
        return self.at(self.code(x).astype(np.float64))

    def from_unit(self, u: Floats) -> Floats:
        """By the index of each quantile."""
        return self.at(indices_at(self._distribution, u))

    def code(self, x: Floats) -> Integers:
        """The index of the value."""
        return self._whole(np.floor(np.clip(x, 0.0, 1.0) * self.cells))

    def at(self, code: Floats) -> Floats:
        """The centres of the cells; a code with a fraction lies between two of them."""
        return (code + 0.5) / self.cells

    def borders(self, x: Floats) -> tuple[Floats, Floats]:
        """What `code` takes for the same value; the first cell begins at 0, the last one ends at 1."""
        code = self.code(x).astype(np.float64)
        return self._border(code), self._border(code + 1)

    def _border(self, code: Floats) -> Floats:
        """Where the cell of a code begins."""
        return np.clip(self.at(code - 0.5), 0.0, 1.0)

    @abstractmethod
    def _position(self, number: float) -> float:
        """The index of a number, with a fraction between two values."""

    def _whole(self, position: Floats) -> Integers:
        # Clipped twice: as a float before it may overflow, as an int where a float has rounded up.
        return np.minimum(np.clip(position, 0.0, self.cells - 1.0).astype(np.int64), self.cells - 1)


class IntSteps(Steps):
    """`int_uniform`."""

    def __init__(self, distribution: IntUniform) -> None:
        super().__init__(distribution, distribution.finite_values())
        self._min = distribution.min

    def _position(self, number: float) -> float:
        return float(number - self._min)


class Ranks(Steps):
    """A list of numbers that rise or fall: evenly apart, whatever lies between them."""

    def __init__(self, distribution: Distribution, values: Sequence[float]) -> None:
        super().__init__(distribution, values)
        self._indices = np.argsort(np.array(values, dtype=np.float64))
        self._rising = np.array(values, dtype=np.float64)[self._indices]

    def weights(self) -> Floats:
        """Those of the list."""
        return probabilities_of(self._distribution, self.cells)

    def _position(self, number: float) -> float:
        return float(np.interp(number, self._rising, self._indices))


class QuantizedSteps(Steps):
    """The kinds with a ``q``: ``cells`` multiples of q, from multiple ``first`` on."""

    def __init__(self, distribution: Quantized, first: int, cells: int) -> None:
        super().__init__(distribution, LazySequence(cells, lambda index: distribution.multiple(first + index)))
        self._quantized = distribution
        self._first = first

    def _position(self, number: float) -> float:
        return self._quantized.position(number, self._first)

    def _values_at(self, position: Floats) -> Floats:
        return (position + float(self._first)) * self._quantized.q

    def _nearest(self, number: Floats) -> Integers:
        return self._whole(np.rint(number / self._quantized.q) - float(self._first))


class LogSteps(QuantizedSteps):
    """The logarithmic ones: at the logarithm of the value, with half a step more at both ends."""

    def __init__(self, distribution: Quantized, first: int, cells: int) -> None:
        super().__init__(distribution, first, cells)
        low, high = np.log(self._values_at(np.array([-0.5, cells - 0.5]))).tolist()
        self._low: float = low
        self._width: float = high - low

    def code(self, x: Floats) -> Integers:
        """The index of the value."""
        return self._nearest(np.exp(self._low + np.clip(x, 0.0, 1.0) * self._width))

    def at(self, code: Floats) -> Floats:
        """The logarithms."""
        return (np.log(self._values_at(code)) - self._low) / self._width


class UnboundedSteps(QuantizedSteps):
    """`q_normal` and `q_log_normal` without their tails: in the middle of the probability that rounds to the value."""

    def __init__(self, distribution: Quantized, law: Normal | LogNormal, first: int, cells: int) -> None:
        super().__init__(distribution, first, cells)
        self._law = law

    def from_unit(self, u: Floats) -> Floats:
        """The values around the quantiles."""
        return self.snap(u)

    def code(self, x: Floats) -> Integers:
        """The index of the value."""
        from scipy.special import ndtri

        number = self._law.mu + self._law.sigma * ndtri(np.clip(x, TAIL, 1 - TAIL))
        if isinstance(self._law, LogNormal):
            with np.errstate(over="ignore"):
                number = np.exp(number)
        return self._nearest(number)

    def at(self, code: Floats) -> Floats:
        """Between what lies below half a step less and half a step more."""
        below = np.maximum(self._cdf(code - 0.5), TAIL)
        return (below + np.minimum(self._cdf(code + 0.5), 1 - TAIL)) / 2

    def _border(self, code: Floats) -> Floats:
        """The part of all draws that lies below."""
        inner: Floats = np.where(code <= 0, 0.0, self._cdf(code - 0.5))
        return np.where(code >= self.cells, 1.0, inner)

    def _cdf(self, position: Floats) -> Floats:
        from scipy.special import ndtr

        number = self._values_at(position)
        if isinstance(self._law, LogNormal):
            with np.errstate(divide="ignore"):
                number = np.log(np.maximum(number, 0.0))
        cdf: Floats = ndtr((number - self._law.mu) / self._law.sigma)
        return cdf
