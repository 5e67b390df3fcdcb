"""The first runs of a method that looks at results, before there is enough to look at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from besom.search.sobol_points import SobolPoints
from besom.space.encoding import Encoding

Floats = NDArray[np.float64]

# Sobol points among which the first ones are looked for: with fewer values than that, or with nearly all the
# probability on a few, they repeat each other.
MOST_LOOKED_AT = 1_024


def first_count(dimension: int) -> int:
    """How many runs come before the model: max(5, min(D + 2, 10))."""
    return max(5, min(dimension + 2, 10))


def first_points(encoding: Encoding, seed: int) -> Floats:
    """The points that run first, (k, D), distinct and snapped: the centre, then a scrambled Sobol sequence.

    k is `first_count`, or less where the space has fewer points, or fewer that draws reach. Row i is a function of
    the space, the seed and i. The centre comes first as it is the point that is nearest to an optimum of which nothing
    is known, and as people write ranges around what they believe in; it is the same for all seeds. The others follow
    the parameters' own laws, so that probabilities are respected.
    """
    count = first_count(encoding.dimension)
    spread = encoding.from_unit(SobolPoints(encoding.dimension, seed).points(0, MOST_LOOKED_AT))
    looked_at = np.vstack([centre(encoding), spread])
    # A dict keeps the first of equal points, and their order.
    rows: dict[bytes, int] = {}
    for row, key in enumerate(encoding.keys(looked_at)):
        rows.setdefault(key, row)
    return looked_at[list(rows.values())[:count]]


def centre(encoding: Encoding) -> Floats:
    """The median of each number, by its law, and the likeliest of each category, (D,)."""
    x: Floats = encoding.from_unit(np.full((1, encoding.dimension), 0.5))[0]
    for j in np.flatnonzero(encoding.is_category).tolist():
        x[j] = np.argmax(encoding.category_weights(j))
    return x
