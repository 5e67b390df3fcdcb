"""From good candidates to better ones nearby."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.optimize import minimize

from besom.search.bayes.acquisition import Acquisition
from besom.search.bayes.candidates import BEYOND, mutated
from besom.space.encoding import Encoding

Array = NDArray[np.float64]
Untried = Callable[[Array], NDArray[np.bool_]]

RADII = (0.3, 0.08, 0.02)
PARENTS = 8
CHILDREN = 24
APART = 0.03  # starts of the ascent that are nearer to each other climb the same hill
CLIMBS = 3  # of one start, with a change of coarse coordinates between them
FINE = 33  # a grid of as many cells is climbed like a range, and snapped after it


@dataclass(frozen=True, slots=True)
class Ranked:
    """Untried points (m, D) and what they are worth (m,), best first."""

    points: Array
    values: Array

    @property
    def first(self) -> Array | None:
        """The best point (D,); None if there is none."""
        return self.points[0] if len(self.points) else None

    def with_more(self, others: Ranked) -> Ranked:
        """Both together."""
        return _sorted(np.concatenate([self.points, others.points]), np.concatenate([self.values, others.values]))


class LocalSearch:
    """Looks for better points around good ones; what it finds is snapped and untried."""

    def __init__(self, acquisition: Acquisition, encoding: Encoding, untried: Untried) -> None:
        self._acquisition = acquisition
        self._encoding = encoding
        self._untried = untried
        self._climbed = ~encoding.is_category & ((encoding.cells == 0) | (encoding.cells >= FINE))

    def ranked(self, points: Array) -> Ranked:
        """The untried ones of snapped points (m, D) by what they are worth."""
        points = points[self._untried(points)]
        return _sorted(points, self._acquisition.value(points))

    def around(self, best: Ranked, radius: float, rng: Generator) -> Ranked:
        """Mutations of the first points, ranked together with all."""
        parents = best.points[:PARENTS]
        return best.with_more(self.ranked(mutated(parents, CHILDREN, self._encoding, rng, radius)))

    def climbed(self, start: Array, iterations: int, others: Ranked) -> Ranked:
        """The points around the hill of a point (D,), ranked together with others.

        L-BFGS-B goes along the ranges with the coarse coordinates held; then all points are looked at that differ
        from there in one coarse coordinate, and where one of them is better its ranges are climbed in turn.
        """
        for _ in range(CLIMBS):
            end = self._ascent(start, iterations)
            near = self.ranked(np.concatenate([end[np.newaxis], self._neighbours(end)]))
            others = others.with_more(near)
            if not len(near.points) or np.array_equal(near.points[0], end, equal_nan=True):
                break
            start = near.points[0]
        return others

    def _ascent(self, start: Array, iterations: int) -> Array:
        free = self._climbed & ~np.isnan(start)
        if not free.any():
            return start

        def objective(numbers: Array) -> tuple[float, Array]:
            point = start.copy()
            point[free] = numbers
            value, gradient = self._acquisition.slope(point)
            return -value, -gradient[free]

        found = minimize(
            objective,
            start[free],
            jac=True,
            method="L-BFGS-B",
            bounds=[(0.0, 1.0)] * int(free.sum()),
            options={"maxiter": iterations},
        )
        end = start.copy()
        end[free] = found.x
        return self._encoding.snap(end[None, :])[0]

    def _neighbours(self, point: Array) -> Array:
        """All points (m, D) that differ from one (D,) in a single coarse coordinate: the next cells, other categories."""
        found = []
        for j in np.flatnonzero(~self._climbed & ~np.isnan(point)):
            if self._encoding.is_category[j]:
                others = np.arange(self._encoding.cells[j], dtype=np.float64)
            else:
                low, high = self._encoding.borders(int(j), point[[j]])
                others = np.concatenate([low - BEYOND, high + BEYOND])
            near = np.repeat(point[None, :], len(others), axis=0)
            near[:, j] = others
            found.append(near)
        return self._encoding.snap(np.concatenate(found)) if found else np.empty((0, len(point)))


def _sorted(points: Array, values: Array) -> Ranked:
    order = np.argsort(-values, kind="stable")
    return Ranked(points[order], values[order])


def distinct(points: Array, count: int, is_category: NDArray[np.bool_]) -> Array:
    """The first points (k, D), at most ``count``, that are `APART` from all before them or of another category."""
    kept: list[Array] = []
    for point in points:
        gaps = [np.abs(point - other) * np.where(is_category, 1.0, 1.0 / APART) for other in kept]
        if all(bool((gap[~np.isnan(gap)] >= 1.0).any()) for gap in gaps):
            kept.append(point)
        if len(kept) == count:
            break
    return np.array(kept).reshape(-1, points.shape[1])
