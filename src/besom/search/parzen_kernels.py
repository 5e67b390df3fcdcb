"""The kernels of a Parzen estimator in one coordinate: around categories, or around numbers in 0 … 1."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr, ndtri

from besom.space.encoding import Encoding

Array = NDArray[np.float64]

# A cell that is this small a part of a kernel's deviation is as good as a point.
NARROW = 1e-6


class Kernels(Protocol):
    """One coordinate of n + 1 kernels, the last of which is the law of the space."""

    def sample(self, rng: Generator, kernels: NDArray[np.int64]) -> Array:
        """One draw from each of the kernels (m,) with these numbers."""

    def log_kernels(self, x: Array) -> Array:
        """The logarithm of each kernel at values x (k,), as (k, n + 1)."""


def kernels(encoding: Encoding, j: int, own: Array) -> Kernels:
    """Those around the values ``own`` (n,) of column j; NaN: a point that has none."""
    if encoding.is_category[j]:
        return CategoryKernels(own, encoding.category_weights(j))
    return NumberKernels(own, partial(encoding.borders, j) if encoding.cells[j] else None)


class CategoryKernels:
    """The kernel of Aitchison and Aitken (Biometrika 1976) around n of C categories.

    It keeps its own category with probability n/(n + C) and draws from the law ``weights`` (C,) else: the law counts
    as much as C points. For equal weights that is their kernel with the bandwidth (C - 1)/(n + C).
    """

    def __init__(self, own: Array, weights: Array) -> None:
        n, size = len(own), len(weights)
        # A category that the space no longer has, or none at all, tells nothing of the others.
        known = np.append(own < size, False)
        self._own = np.where(known, np.append(own, 0.0), -1.0)
        self._kept = np.where(known, n / (n + size), 0.0)
        self._weights = weights

    def sample(self, rng: Generator, kernels: NDArray[np.int64]) -> Array:
        """One draw from each of the kernels (m,) with these numbers."""
        others = rng.choice(len(self._weights), size=len(kernels), p=self._weights).astype(np.float64)
        return np.where(rng.random(len(kernels)) < self._kept[kernels], self._own[kernels], others)

    def log_kernels(self, x: Array) -> Array:
        """The logarithm of each kernel at listed categories x (k,), as (k, n + 1)."""
        law = self._weights[x.astype(np.int64)]
        logs: Array = np.log(self._kept * (x[:, None] == self._own) + (1.0 - self._kept) * law[:, None])
        return logs


class NumberKernels:
    """Normal kernels cut at 0 and 1 around n numbers, whose deviations are those of `deviations`.

    ``borders`` tells where cells begin and end: each has the mass of the kernel inside of it. None: no cells.
    """

    def __init__(self, own: Array, borders: Callable[[Array], tuple[Array, Array]] | None) -> None:
        known = np.append(np.isfinite(own), False)
        self._own = np.where(known, np.append(own, 0.0), 0.5)
        self._deviation = np.ones(len(known))
        self._deviation[known] = deviations(self._own[known])
        self._uniform = ~known
        self._borders = borders

    def sample(self, rng: Generator, kernels: NDArray[np.int64]) -> Array:
        """One draw from each of the kernels (m,) with these numbers."""
        own, deviation, u = self._own[kernels], self._deviation[kernels], rng.random(len(kernels))
        below, above = ndtr(-own / deviation), ndtr((1.0 - own) / deviation)
        normal = own + deviation * ndtri(below + u * (above - below))
        return np.where(self._uniform[kernels], u, np.clip(normal, 0.0, 1.0))

    def log_kernels(self, x: Array) -> Array:
        """The logarithm of each kernel at snapped numbers x (k,), as (k, n + 1)."""
        own, deviation = self._own, self._deviation
        inside = np.log(ndtr((1.0 - own) / deviation) - ndtr(-own / deviation))
        logs: Array = -0.5 * ((x[:, None] - own) / deviation) ** 2 - np.log(deviation * math.sqrt(2 * math.pi)) - inside
        if self._borders is None:
            return np.where(self._uniform, 0.0, logs)
        low, high = self._borders(x)
        # Of more cells than a float can tell apart, all kernels take the same width.
        width = np.maximum(high - low, np.finfo(np.float64).eps)[:, None]
        mass = _log_mass((low[:, None] - own) / deviation, (high[:, None] - own) / deviation) - inside
        logs = np.where(width < NARROW * deviation, logs + np.log(width), mass)
        found: Array = np.where(self._uniform, np.log(width), logs)
        return found


def _log_mass(low: Array, high: Array) -> Array:
    """log(Φ(high) - Φ(low)) for low < high, also far out, where the difference itself is 0."""
    right = low > 0.0
    low, high = np.where(right, -high, low), np.where(right, -low, high)
    with np.errstate(divide="ignore"):
        mass: Array = log_ndtr(high) + np.log1p(-np.exp(log_ndtr(low) - log_ndtr(high)))
    return mass


def deviations(numbers: Array) -> Array:
    """The standard deviation (n,) of the kernel around each of n numbers in [0, 1].

    The larger of the distances to the neighbours on both sides (Bergstra et al. 2011, section 4.2), where the outermost
    numbers look inward only; at least 1/min(100, n + 2) and at most 1, so that no kernel becomes a needle.
    """
    n = len(numbers)
    if n == 0:
        return np.empty(0)
    order = np.argsort(numbers, kind="stable")
    gaps = np.diff(numbers[order], prepend=0.0, append=1.0)
    if n > 1:
        gaps[0] = gaps[-1] = 0.0
    widths = np.empty(n)
    widths[order] = np.maximum(gaps[:-1], gaps[1:])
    clipped: Array = np.clip(widths, 1.0 / min(100, n + 2), 1.0)
    return clipped
