"""Distributions over an interval: quantile and cdf of each."""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar

from besom.space.options import BadOption

_STANDARD = NormalDist()
# e^700 is about 1e304: beyond it a value could become inf.
_LARGEST_EXPONENT = 700.0


class Continuous(ABC):
    """What all of them share: a range, an inverse pair `quantile` and `cdf`, and no end of values."""

    scale: ClassVar[str] = "linear"

    @property
    @abstractmethod
    def low(self) -> float:
        """No value is below it."""

    @property
    @abstractmethod
    def high(self) -> float:
        """No value is above it."""

    @abstractmethod
    def quantile(self, u: float) -> float:
        """The value below which the part ``u`` of all draws lies; 0 < u < 1."""

    @abstractmethod
    def cdf(self, x: float) -> float:
        """The part of all draws that lies at or below ``x``."""

    def contains(self, value: object) -> bool:
        """True for a number in the range."""
        return is_finite_number(value) and self.low <= value <= self.high  # type: ignore[operator]

    def bounds_text(self) -> str:
        """``low … high``."""
        return f"{_end_text(self.low)} … {_end_text(self.high)}"

    def grid_values(self) -> Sequence[float] | None:
        """None: a grid has no place for it."""
        return None

    def finite_values(self) -> Sequence[float] | None:
        """None: there is no end of values."""
        return None

    def finite_weights(self) -> Sequence[float] | None:
        """None, as there are no finite values."""
        return None

    def finite_index(self, u: float) -> int:
        """Raises TypeError: there are no finite values."""
        raise TypeError(f"{self} has no end of values, so none of them has an index")


@dataclass(frozen=True)
class Uniform(Continuous):
    """Evenly between ``min`` and ``max``."""

    min: float
    max: float
    kind: ClassVar[str] = "uniform"

    def __post_init__(self) -> None:
        check_order(self.min, self.max)

    @property
    def low(self) -> float:
        """``min``."""
        return self.min

    @property
    def high(self) -> float:
        """``max``."""
        return self.max

    def quantile(self, u: float) -> float:
        """``min + u (max - min)``."""
        return clip(self.min + u * (self.max - self.min), self.min, self.max)

    def cdf(self, x: float) -> float:
        """The part of the range that lies below ``x``."""
        return clip((x - self.min) / (self.max - self.min), 0.0, 1.0)


@dataclass(frozen=True)
class LogUniform(Continuous):
    """The logarithm is even between ``ln_min`` and ``ln_max``; ``low`` and ``high`` are the ends as values."""

    kind: str
    ln_min: float
    ln_max: float
    min: float
    max: float
    scale: ClassVar[str] = "log"

    @classmethod
    def from_exponents(cls, min: float, max: float, instead: str = "log_uniform_values") -> LogUniform:
        """``log_uniform``: the ends are natural logarithms; ``instead`` is what messages tell to write."""
        _check_exponents(min, max, instead, sign=1)
        return cls("log_uniform", min, max, _end(min), _end(max))

    @classmethod
    def from_inverse_exponents(cls, min: float, max: float) -> LogUniform:
        """``inv_log_uniform``: the ends are natural logarithms of 1/x, so ``x = exp(-(min + (1-u)(max-min)))``."""
        _check_exponents(min, max, "inv_log_uniform_values", sign=-1)
        return cls("inv_log_uniform", -max, -min, _end(-max), _end(-min))

    @classmethod
    def from_values(cls, min: float, max: float) -> LogUniform:
        """``log_uniform_values``: the ends are values."""
        return cls._between("log_uniform_values", min, max)

    @classmethod
    def from_inverse_values(cls, min: float, max: float) -> LogUniform:
        """``inv_log_uniform_values``: the law of `from_values`, as ln(1/x) is even exactly when ln x is."""
        return cls._between("inv_log_uniform_values", min, max)

    @classmethod
    def _between(cls, kind: str, min: float, max: float) -> LogUniform:
        if min <= 0:
            raise BadOption("min", f"`min` must be above 0, as its logarithm is taken, not {min}")
        check_order(min, max)
        return cls(kind, math.log(min), math.log(max), min, max)

    @property
    def low(self) -> float:
        """The smallest value."""
        return self.min

    @property
    def high(self) -> float:
        """The largest value."""
        return self.max

    def quantile(self, u: float) -> float:
        """``exp(ln_min + u (ln_max - ln_min))``."""
        return clip(math.exp(self.ln_min + u * (self.ln_max - self.ln_min)), self.min, self.max)

    def cdf(self, x: float) -> float:
        """The part of the logarithms that lies below ln x."""
        if x <= self.min:
            return 0.0
        return clip((math.log(x) - self.ln_min) / (self.ln_max - self.ln_min), 0.0, 1.0)


@dataclass(frozen=True)
class Normal(Continuous):
    """Normal with mean ``mu`` and standard deviation ``sigma``; sigma 0 is the one value mu."""

    mu: float
    sigma: float
    kind: ClassVar[str] = "normal"

    def __post_init__(self) -> None:
        _check_not_negative("sigma", self.sigma)

    @property
    def low(self) -> float:
        """Minus infinity."""
        return -math.inf

    @property
    def high(self) -> float:
        """Infinity."""
        return math.inf

    def quantile(self, u: float) -> float:
        """``mu + sigma z`` with the standard normal quantile z of ``u``."""
        return float(self.mu + self.sigma * _STANDARD.inv_cdf(u))

    def cdf(self, x: float) -> float:
        """The standard normal cdf of ``(x - mu) / sigma``."""
        if self.sigma == 0:
            return float(x >= self.mu)
        return _STANDARD.cdf((x - self.mu) / self.sigma)

    def bounds_text(self) -> str:
        """Mean and standard deviation."""
        return f"mu {self.mu:g}, sigma {self.sigma:g}"


@dataclass(frozen=True)
class LogNormal(Continuous):
    """The logarithm is normal with ``mu`` and ``sigma``."""

    mu: float
    sigma: float
    kind: ClassVar[str] = "log_normal"
    scale: ClassVar[str] = "log"

    def __post_init__(self) -> None:
        _check_not_negative("sigma", self.sigma)

    @property
    def low(self) -> float:
        """0."""
        return 0.0

    @property
    def high(self) -> float:
        """Infinity."""
        return math.inf

    def quantile(self, u: float) -> float:
        """``exp(mu + sigma z)`` with the standard normal quantile z of ``u``."""
        return math.exp(min(Normal(self.mu, self.sigma).quantile(u), _LARGEST_EXPONENT))

    def cdf(self, x: float) -> float:
        """The normal cdf of ln x."""
        return Normal(self.mu, self.sigma).cdf(math.log(x)) if x > 0 else 0.0

    def bounds_text(self) -> str:
        """Mean and standard deviation of the logarithm."""
        return f"exp of mu {self.mu:g}, sigma {self.sigma:g}"


@dataclass(frozen=True)
class Beta(Continuous):
    """Beta(a, b) on 0 … 1; a shape of 0 puts everything on its end of the range, two of them half on each."""

    a: float
    b: float
    kind: ClassVar[str] = "beta"

    def __post_init__(self) -> None:
        _check_not_negative("a", self.a)
        _check_not_negative("b", self.b)

    @property
    def low(self) -> float:
        """0."""
        return 0.0

    @property
    def high(self) -> float:
        """1."""
        return 1.0

    def quantile(self, u: float) -> float:
        """The inverse of the regularised incomplete beta function."""
        if self.a == 0 or self.b == 0:
            return float(u > self._mass_at_0())
        # Imported where it is used: SciPy takes a third of a second and most sweeps have no beta.
        from scipy.special import betaincinv

        return float(betaincinv(self.a, self.b, u))

    def cdf(self, x: float) -> float:
        """The regularised incomplete beta function."""
        if x < 0 or x >= 1:
            return float(x >= 1)
        if self.a == 0 or self.b == 0:
            return self._mass_at_0()
        from scipy.special import betainc

        return float(betainc(self.a, self.b, x))

    def bounds_text(self) -> str:
        """The range and the shapes."""
        return f"0 … 1, a {self.a:g}, b {self.b:g}"

    def _mass_at_0(self) -> float:
        return 0.5 if self.a == self.b else float(self.a == 0)


def is_finite_number(value: object) -> bool:
    """True for a finite int or float; booleans are no numbers."""
    # Compared, as `math.isfinite` raises on an int that is too large for a float.
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and -sys.float_info.max <= value <= sys.float_info.max  # type: ignore[operator]


def clip(value: float, low: float, high: float) -> float:
    """The value as a float, moved into the range that rounding may have led it out of."""
    return float(min(max(value, low), high))


def check_order(low: float, high: float) -> None:
    """Raises BadOption unless ``min`` is below ``max``."""
    if low == high:
        raise BadOption("max", f"`min` and `max` are both {low}: for a fixed value write `value: {low}`")
    if low > high:
        raise BadOption("max", f"`min` {low} must be below `max` {high}")


def _check_not_negative(name: str, value: float) -> None:
    if value < 0:
        raise BadOption(name, f"`{name}` must be 0 or larger, not {value}")


def _end(exponent: float) -> float:
    # 12 digits, so that e to the power of ln 0.1 is 0.1 and not a bit more.
    return float(f"{math.exp(exponent):.12g}")


def _check_exponents(low: float, high: float, instead: str, sign: int) -> None:
    """Raises BadOption for ends out of order, and for ends that were surely meant as values."""
    check_order(low, high)
    if high > 50 or 0 < low < high <= 1:
        ends = sorted((sign * low, sign * high))
        meant = " … ".join(_exp_text(end) for end in ends)
        raise BadOption(
            "max",
            f"`min` {low} and `max` {high} are exponents here and mean values {meant}: "
            f"for limits write `distribution: {instead}`",
        )
    if low < -_LARGEST_EXPONENT:
        raise BadOption("min", f"`min` is an exponent of e and must be -700 or larger, not {low}")


def _end_text(end: float) -> str:
    return f"{end:.12g}" if end == int(end) else f"{end:.6g}"


def _exp_text(exponent: float) -> str:
    return f"{math.exp(exponent):.5g}" if abs(exponent) <= _LARGEST_EXPONENT else f"e^{exponent:g}"
