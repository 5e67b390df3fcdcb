"""The point that the model finds worth most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from besom.search.bayes.acquisition import Acquisition
from besom.search.bayes.budget import Budget
from besom.search.bayes.candidates import mutated
from besom.search.bayes.kernel import squared_differences
from besom.search.bayes.local_search import RADII, LocalSearch, Untried, distinct
from besom.search.bayes.model import Model
from besom.space.encoding import Encoding

Array = NDArray[np.float64]

MOST_LISTED = 4000  # points of a space that are all looked at
PARENTS = 8  # of the first mutations


@dataclass(frozen=True, slots=True)
class Best:
    """The point (D,) that is worth most, None if all that were looked at were tried, and whether time ran out."""

    point: Array | None
    in_time: bool


def best_point(
    model: Model,
    encoding: Encoding,
    even: Array,
    untried: Untried,
    budget: Budget,
    rng: Generator,
    out_of_time: Callable[[], bool],
) -> Best:
    """Looks at all points of a small space; else at ``even`` ones (m, D), mutations of good ones, and around the best.

    Everything is snapped before it is valued, so that the model sees what would really run: Garrido-Merchán and
    Hernández-Lobato, Neurocomputing 2020.
    """
    search = LocalSearch(Acquisition(model.process, model.feasibility), encoding, untried)
    size = encoding.size()
    if size is not None and size <= MOST_LISTED:
        return Best(search.ranked(encoding.all_points()).first, True)
    found = search.ranked(even)
    if out_of_time():
        return Best(found.first, False)
    found = found.with_more(search.ranked(mutated(model.best_points(PARENTS), budget.mutations, encoding, rng)))
    for radius in RADII:
        if out_of_time():
            return Best(found.first, False)
        found = search.around(found, radius, rng)
    for start in distinct(found.points, budget.ascents, encoding.is_category):
        if out_of_time():
            return Best(found.first, False)
        found = search.climbed(start, budget.steps, found)
    return Best(found.first, True)


def farthest(points: Array, failed: Array, is_category: NDArray[np.bool_]) -> Array:
    """Of points (m, D) the one that is farthest from all failed ones (f, D), one of each at least."""
    gaps = squared_differences(points, failed, is_category).sum(axis=0)
    chosen: Array = points[np.argmax(gaps.min(axis=1))]
    return chosen
