"""The kinds with a ``q``: a continuous distribution rounded to multiples of q that lie inside its range."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from besom.space.continuous import Continuous, Uniform, is_finite_number
from besom.space.discrete import MOST_VALUES
from besom.space.lazy_sequence import LazySequence
from besom.space.options import BadOption


@dataclass(frozen=True)
class Quantized:
    """``round(x / q) q`` for draws x of ``base``, kept among the multiples of q inside the range of ``base``.

    Values are ints when q is one, else floats with no more decimals than q has: multiples are counted in exact
    fractions of the decimal q that was written, so that three steps of 0.1 are 0.3.
    """

    kind: str
    base: Continuous
    q: float

    def __post_init__(self) -> None:
        if self.q <= 0:
            raise BadOption("q", f"`q` must be above 0, not {self.q}")
        if self.first is None or self.last is None:
            return
        if self.first > self.last:
            raise BadOption("q", f"no multiple of `q` {self.q} lies in {self.base.bounds_text()}: make `q` smaller")
        if self.last - self.first >= MOST_VALUES:
            raise BadOption("q", f"`q` {self.q} is too small: at most 2^62 steps can be counted")

    @property
    def scale(self) -> str:
        """That of the distribution that is rounded."""
        return self.base.scale

    @cached_property
    def _step(self) -> Fraction:
        return _exact(self.q)

    @cached_property
    def first(self) -> int | None:
        """The first multiple in the range, in steps from 0; None without a lower end."""
        return math.ceil(_exact(self.base.low) / self._step) if math.isfinite(self.base.low) else None

    @cached_property
    def last(self) -> int | None:
        """The last multiple in the range, in steps from 0; None without an upper end."""
        return math.floor(_exact(self.base.high) / self._step) if math.isfinite(self.base.high) else None

    def multiple(self, steps: int) -> float:
        """``steps`` times q."""
        return steps * self.q if isinstance(self.q, int) else float(steps * self._step)

    def steps(self, u: float) -> int:
        """How many steps from 0 the quantile of ``u`` is."""
        ratio = self.base.quantile(u) / self.q
        steps = round(min(max(ratio, -sys.float_info.max), sys.float_info.max))
        if self.first is not None:
            steps = max(steps, self.first)
        return steps if self.last is None else min(steps, self.last)

    def position(self, value: float, start: int) -> float:
        """How many steps from multiple ``start`` a finite number lies; between two multiples a fraction."""
        return float(_exact(value) / self._step - start)

    def quantile(self, u: float) -> float:
        """The multiple of q nearest to the quantile of the rounded distribution."""
        return self.multiple(self.steps(u))

    def contains(self, value: Any) -> bool:
        """True for a multiple of q in the range, and for a point of the grid."""
        if not is_finite_number(value):
            return False
        inside = self.base.low <= value <= self.base.high
        return inside and any(
            math.isclose((value - start) / self.q, round((value - start) / self.q), rel_tol=1e-9, abs_tol=1e-6)
            for start in self._starts()
        )

    def _starts(self) -> tuple[float, ...]:
        """Where counting in steps of q begins: at 0 for draws, at ``min`` on a grid."""
        return (0, self.base.min) if isinstance(self.base, Uniform) else (0,)

    def bounds_text(self) -> str:
        """The bounds of the rounded distribution and the step."""
        return f"{self.base.bounds_text()}, step {self.q:g}"

    def grid_values(self) -> Sequence[float] | None:
        """Of ``q_uniform``: min, min + q, … up to max, which is included; None for the other kinds."""
        if not isinstance(self.base, Uniform):
            return None
        start = _exact(self.base.min)
        count = (_exact(self.base.max) - start) // self._step + 1
        if isinstance(self.q, int) and start.denominator == 1:
            return LazySequence(count, lambda index: int(start + index * self._step))
        return LazySequence(count, lambda index: float(start + index * self._step))

    def finite_values(self) -> Sequence[float] | None:
        """The multiples of q in the range; None without ends."""
        first, last = self.first, self.last
        if first is None or last is None:
            return None
        return LazySequence(last - first + 1, lambda index: self.multiple(first + index))

    def finite_weights(self) -> Sequence[float] | None:
        """The probability of each value: what rounds to it, and at the ends all that lies outside."""
        first, last = self.first, self.last
        if first is None or last is None:
            return None
        count = last - first + 1

        def below(index: int) -> float:
            if index in (0, count):
                return float(index > 0)
            return self.base.cdf(float((first + index - Fraction(1, 2)) * self._step))

        return LazySequence(count, lambda index: max(below(index + 1) - below(index), 0.0))

    def finite_index(self, u: float) -> int:
        """Where `quantile` of ``u`` stands in `finite_values`."""
        if self.first is None or self.last is None:
            raise TypeError(f"{self} has no end of values, so none of them has an index")
        return self.steps(u) - self.first


def quantized(kind: str, make_base: Callable[..., Continuous]) -> Callable[..., Quantized]:
    """What makes the quantized ``kind`` out of the options of its base and ``q``."""

    def make(*, q: float, **options: Any) -> Quantized:
        return Quantized(kind, make_base(**options), q)

    return make


def _exact(number: float) -> Fraction:
    """The decimal number that was written, without the error of its binary form."""
    return Fraction(repr(number))
