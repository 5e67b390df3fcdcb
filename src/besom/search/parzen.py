"""The tree-structured Parzen estimator: the next point lies where good runs are dense and the others are not.

`method: tpe` is made of it, and `method: bayes` asks it now and then.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import log_ndtr, logsumexp, ndtr, ndtri

from besom.space.encoding import Encoding

Array = NDArray[np.float64]

CANDIDATES = 24
GOOD_SHARE = 0.1
MOST_GOOD = 25
# Rounds of candidates on a finite space before the points that are left are looked up.
ROUNDS = 10
# Up to here the points of a space are listed; larger ones are searched by even draws.
MOST_LISTED = 100_000
EVEN_DRAWS = 4096
# A cell that is this small a part of a kernel's deviation is as good as a point.
NARROW = 1e-6


def suggest_by_parzen(
    encoding: Encoding,
    x: Array,
    y: Array,
    pending: Array,
    rng: Generator,
    untried: Callable[[Array], NDArray[np.bool_]],
) -> Array | None:
    """The next point (D,) after points x (n, D) with losses y (n,) and points under way ``pending`` (m, D).

    The best ⌈n/10⌉ of the runs, at most 25, are good. Of 24 draws from their density l, the one with the largest
    l/g is taken, g the density of all others: that is the one with the largest expected improvement (Bergstra,
    Bardenet, Bengio and Kégl, NIPS 2011, section 4). Points under way count as bad, the constant liar of Ginsbourger,
    Le Riche and Carraro 2010, so that many agents spread. A loss that is not finite is worse than all others, and
    never good. ``untried`` tells which of k points (k, D) may be suggested; None: none is left.
    """
    order = np.argsort(np.where(np.isfinite(y), y, np.inf), kind="stable")
    count = min(math.ceil(GOOD_SHARE * len(y)), MOST_GOOD, int(np.isfinite(y).sum()))
    good = Parzen(encoding, x[order[:count]])
    others = Parzen(encoding, np.concatenate([x[order[count:]], pending]))
    candidates = _drawn(good, rng, untried)
    if not len(candidates):
        candidates = _left_over(encoding, rng, untried)
    if not len(candidates):
        return None
    best: Array = candidates[np.argmax(good.log_density(candidates) - others.log_density(candidates))]
    return best


def _drawn(good: Parzen, rng: Generator, untried: Callable[[Array], NDArray[np.bool_]]) -> Array:
    """`CANDIDATES` untried draws, or as many as some rounds give."""
    found: list[Array] = []
    for _ in range(ROUNDS):
        draws = good.sample(rng, CANDIDATES)
        found.append(draws[untried(draws)])
        if sum(map(len, found)) >= CANDIDATES:
            break
    return np.concatenate(found)[:CANDIDATES]


def _left_over(encoding: Encoding, rng: Generator, untried: Callable[[Array], NDArray[np.bool_]]) -> Array:
    """`CANDIDATES` of the untried points, whatever their density; fewer where fewer are left."""
    size = encoding.size()
    if size is not None and size <= MOST_LISTED:
        points = encoding.all_points()
    else:
        points = rng.random((EVEN_DRAWS, encoding.dimension))
        points[:, encoding.is_category] = np.floor(points * encoding.cells)[:, encoding.is_category]
        points = encoding.snap(points)
    left = points[untried(points)]
    return left if len(left) <= CANDIDATES else rng.choice(left, CANDIDATES, replace=False, shuffle=False)


class Parzen:
    """A density over the encoded space: a product kernel around each of n points (n, D), and the space's own law.

    p(x) = (p₀(x) + Σᵢ Πⱼ kⱼ(xⱼ | xᵢⱼ)) / (n + 1): joint kernels (Falkner, Klein and Hutter, ICML 2018) of equal weight,
    and the law p₀ as a prior that counts as one more point (Bergstra et al. 2011). On cells and categories it is the
    probability of each.

    NaN is a coordinate without a value. Whether a coordinate has one follows from others, which have kernels, so it
    adds nothing where x has none; where x has one and the kernel's point has not, the kernel knows only the law.
    """

    def __init__(self, encoding: Encoding, points: Array) -> None:
        self._encoding = encoding
        self._kernels = len(points) + 1
        self._columns = [_column(encoding, j, points[:, j]) for j in range(encoding.dimension)]

    def sample(self, rng: Generator, count: int) -> Array:
        """Independent draws (count, D), snapped."""
        kernels = rng.integers(self._kernels, size=count)
        drawn = [column.sample(rng, kernels) for column in self._columns]
        return self._encoding.snap(np.stack(drawn, axis=1) if drawn else np.empty((count, 0)))

    def log_density(self, x: Array) -> Array:
        """The logarithm (k,) of the density at snapped points x (k, D)."""
        total = np.zeros((len(x), self._kernels))
        for j, column in enumerate(self._columns):
            active = ~np.isnan(x[:, j])
            total[active] += column.log_kernels(x[active, j])
        density: Array = logsumexp(total, axis=1) - math.log(self._kernels)
        return density


class _Column(Protocol):
    """One coordinate of n + 1 kernels, the last of which is the law of the space."""

    def sample(self, rng: Generator, kernels: NDArray[np.int64]) -> Array:
        """One draw from each of the kernels (m,) with these numbers."""

    def log_kernels(self, x: Array) -> Array:
        """The logarithm of each kernel at values x (k,), as (k, n + 1)."""


def _column(encoding: Encoding, j: int, own: Array) -> _Column:
    if encoding.is_category[j]:
        return _Categories(own, encoding.category_weights(j))
    return _Numbers(own, partial(encoding.borders, j) if encoding.cells[j] else None)


class _Categories:
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
        others = rng.choice(len(self._weights), size=len(kernels), p=self._weights).astype(np.float64)
        return np.where(rng.random(len(kernels)) < self._kept[kernels], self._own[kernels], others)

    def log_kernels(self, x: Array) -> Array:
        law = self._weights[x.astype(np.int64)]
        logs: Array = np.log(self._kept * (x[:, None] == self._own) + (1.0 - self._kept) * law[:, None])
        return logs


class _Numbers:
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
        own, deviation, u = self._own[kernels], self._deviation[kernels], rng.random(len(kernels))
        below, above = ndtr(-own / deviation), ndtr((1.0 - own) / deviation)
        normal = own + deviation * ndtri(below + u * (above - below))
        return np.where(self._uniform[kernels], u, np.clip(normal, 0.0, 1.0))

    def log_kernels(self, x: Array) -> Array:
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
        logs = np.where(self._uniform, np.log(width), logs)
        return logs


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
