"""What is believed of the hyperparameters before any run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LENGTH_BOUNDS = (0.02, 300.0)
SIGNAL_CENTRE, SIGNAL_BOUNDS = 0.0, (0.05, 20.0)
LABEL_CENTRE, LABEL_BOUNDS = float(np.log(4.0)), (0.05, 100.0)
NOISE_CENTRE, NOISE_BOUNDS = -6.0, (1e-6, 1.5)


@dataclass(frozen=True, slots=True)
class Priors:
    """Independent normal laws of the logarithms of D lengths, signal variance and noise variance, cut at bounds.

    All arrays are (D + 2,), in this order, for standardised values.
    """

    centre: NDArray[np.float64]
    deviation: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def log_density(self, theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The logarithm of the density without its constant, and its gradient."""
        scaled = (theta - self.centre) / self.deviation
        return -0.5 * float(scaled @ scaled), -scaled / self.deviation


def dimension_scaled_priors(dimension: int) -> Priors:
    """Lengths that grow with the root of the dimension: Hvarfner, Hellsten and Nardi, ICML 2024.

    Distances between random points grow like √D, so that lengths of a fixed size would leave all points of a large
    space unrelated. Their centre is √2 + ½ log D; here it is 1 + ½ log D.
    """
    return _priors(dimension, SIGNAL_CENTRE, SIGNAL_BOUNDS)


def label_priors(dimension: int) -> Priors:
    """The same for a process behind labels, whose signal is larger: most regions in which runs fail have sharp edges."""
    return _priors(dimension, LABEL_CENTRE, LABEL_BOUNDS)


def _priors(dimension: int, signal_centre: float, signal_bounds: tuple[float, float]) -> Priors:
    lengths = np.ones(dimension)
    low = np.log([*(lengths * LENGTH_BOUNDS[0]), signal_bounds[0], NOISE_BOUNDS[0]])
    high = np.log([*(lengths * LENGTH_BOUNDS[1]), signal_bounds[1], NOISE_BOUNDS[1]])
    centre = np.array([*(lengths * (1.0 + 0.5 * np.log(max(dimension, 1)))), signal_centre, NOISE_CENTRE])
    deviation = np.array([*(lengths * 3.0**0.5), 1.0, 1.5])
    return Priors(np.clip(centre, low, high), deviation, low, high)
