"""How alike two points are: Matérn-5/2 over one distance of numbers and categories."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROOT5 = 5**0.5
JITTER = 1e-8
MEAN_VARIANCE = 1.0  # of the constant mean, which is integrated out; values are standardised


def squared_differences(a: Array, b: Array, is_category: NDArray[np.bool_]) -> Array:
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


def matern52(squared_distance: Array) -> tuple[Array, Array]:
    """The correlation at r², and its derivative by r².

    k = (1 + √5 r + 5r²/3) e^(−√5 r), dk/d(r²) = −⅚ (1 + √5 r) e^(−√5 r): Rasmussen and Williams 2006, equation 4.17.
    """
    scaled = ROOT5 * np.sqrt(squared_distance)
    decay = np.exp(-scaled)
    slope = (1.0 + scaled) * decay
    return slope + (5.0 / 3.0) * squared_distance * decay, slope * (-5.0 / 6.0)


class Kernel:
    """The covariances of values without noise under each of S settings (S, D + 2).

    A setting holds the logarithms of D lengths, one a coordinate, of the signal variance and of the noise variance. The
    mean is a constant with a normal prior of variance `MEAN_VARIANCE`, integrated out, which adds that number to every
    covariance. ``inverse`` (S, D) are the lengths to the power of -2, ``signal``, ``noise`` and ``prior`` (S,) the
    variances: ``prior`` is that of a value of which nothing is known.
    """

    def __init__(self, settings: Array, is_category: NDArray[np.bool_]) -> None:
        self.is_category = is_category
        self.inverse = np.exp(-2.0 * settings[:, :-2])
        self.signal, self.noise = np.exp(settings[:, -2:].T)
        self.prior = self.signal + MEAN_VARIANCE

    def between(self, a: Array, b: Array) -> Array:
        """The covariances (S, n, m) of points (n, D) and (m, D)."""
        correlation, _ = matern52(np.tensordot(self.inverse, squared_differences(a, b, self.is_category), axes=1))
        return self.signal[:, None, None] * correlation + MEAN_VARIANCE
