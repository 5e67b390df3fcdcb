"""Which runs stand for all of them where there are too many for one matrix."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


def best_and_random(y: Array, count: int, rng: Generator) -> Rows:
    """At most ``count`` rows of values (n,), rising: two of five the best ones, the rest at random."""
    return _chosen(y, count, best=count * 2 // 5, latest=0, rng=rng)


def best_latest_and_random(y: Array, count: int, rng: Generator) -> Rows:
    """At most ``count`` rows of values (n,), rising: three of eight the best ones, and about one of seven the latest."""
    return _chosen(y, count, best=count * 3 // 8, latest=count * 3 // 20, rng=rng)


def _chosen(y: Array, count: int, best: int, latest: int, rng: Generator) -> Rows:
    size = len(y)
    if size <= count:
        return np.arange(size)
    # A row's number is drawn in turn, so that the same rows are chosen as long as none comes before them.
    order = rng.random(size)
    order[np.argsort(y, kind="stable")[:best]] = -2.0
    order[size - latest :] = np.minimum(order[size - latest :], -1.0)
    return np.sort(np.argsort(order, kind="stable")[:count])
