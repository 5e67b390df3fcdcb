"""How alike two points are: Matérn-5/2 over one distance of numbers and categories."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROOT5 = 5**0.5


def squared_differences(
    a: NDArray[np.float64], b: NDArray[np.float64], is_category: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """How far apart the points are in each coordinate: (D, n, m) for points (n, D) and (m, D).

    Numbers: the squared difference. Categories: 0 if equal, else 1. NaN is a coordinate that has no value: two of them
    are equal, and one against a number counts like another category.
    """
    differences = a.T[:, :, None] - b.T[:, None, :]
    np.square(differences, out=differences)
    differences[is_category] = differences[is_category] != 0.0
    missing_a, missing_b = np.isnan(a), np.isnan(b)
    if missing_a.any() or missing_b.any():
        missing_a, missing_b = missing_a.T[:, :, None], missing_b.T[:, None, :]
        differences[missing_a ^ missing_b] = 1.0
        differences[missing_a & missing_b] = 0.0
    return differences


def matern52(squared_distance: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The correlation at r², and its derivative by r².

    k = (1 + √5 r + 5r²/3) e^(−√5 r), dk/d(r²) = −⅚ (1 + √5 r) e^(−√5 r): Rasmussen and Williams 2006, equation 4.17.
    """
    scaled = ROOT5 * np.sqrt(squared_distance)
    decay = np.exp(-scaled)
    slope = (1.0 + scaled) * decay
    return slope + (5.0 / 3.0) * squared_distance * decay, slope * (-5.0 / 6.0)
