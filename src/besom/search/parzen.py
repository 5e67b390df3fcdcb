"""The tree-structured Parzen estimator: the next point lies where good runs are dense and the others are not.

`method: tpe` is made of it, and `method: bayes` asks it now and then.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import logsumexp

from besom.search.parzen_kernels import kernels
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
        self._columns = [kernels(encoding, j, points[:, j]) for j in range(encoding.dimension)]

    def sample(self, rng: Generator, count: int) -> Array:
        """Independent draws (count, D), snapped."""
        chosen = rng.integers(self._kernels, size=count)
        drawn = [column.sample(rng, chosen) for column in self._columns]
        return self._encoding.snap(np.stack(drawn, axis=1) if drawn else np.empty((count, 0)))

    def log_density(self, x: Array) -> Array:
        """The logarithm (k,) of the density at snapped points x (k, D)."""
        total = np.zeros((len(x), self._kernels))
        for j, column in enumerate(self._columns):
            active = ~np.isnan(x[:, j])
            total[active] += column.log_kernels(x[active, j])
        density: Array = logsumexp(total, axis=1) - math.log(self._kernels)
        return density
