"""From losses as they were logged to values that a Gaussian process can be fitted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StandardLosses:
    """Losses (n,), one or more and finite, and what became of them: warped, centred, scaled.

    ``values`` (n,) have mean 0 and standard deviation 1, or are all 0. ``scale`` is the deviation in the metric's unit.
    """

    losses: Array
    values: Array
    scale: float

    def value(self, losses: Array) -> Array:
        """What other losses (m,) would be among the values: between their neighbours; NaN stays NaN."""
        order = np.argsort(self.losses)
        return np.interp(losses, self.losses[order], self.values[order])

    def loss(self, value: float) -> float:
        """The loss that a value stands for; below all of them the scale goes on."""
        order = np.argsort(self.values)
        below = min(0.0, value - float(self.values[order[0]]))
        return float(np.interp(value, self.values[order], self.losses[order])) + below * self.scale


def standardised(losses: Array) -> StandardLosses:
    """Losses of any size, 1e300 or 1e-300, made comparable with the priors of the process."""
    unit = float(np.abs(losses).max()) or 1.0
    warped = half_rank_warp(losses / unit)
    scale = float(warped.std())
    values = (warped - warped.mean()) / scale if scale > 0.0 else np.zeros(len(losses))
    return StandardLosses(losses, values, scale * unit)


def half_rank_warp(losses: Array) -> Array:
    """Losses (n,) of which the worse half keeps little but its order, so that one of 1e6 does no harm.

    With m the median and s the root mean square of the better half's distances from it, a loss y above m becomes
    m + min(y - m, s Φ⁻¹(½ + ½ rank / (worse + 1))); equal losses stay equal. After the Gaussian-process bandit of
    Vizier: Song et al. 2024. Where s is 0, the best loss is that of more than half of them, and all become Φ⁻¹ of
    their ranks.
    """
    median = float(np.median(losses))
    distance = losses - median
    worse = distance > 0.0
    size = float(np.sqrt(np.mean(np.square(distance[~worse]))))
    ordered = np.sort(losses)
    below = np.searchsorted(ordered, losses, side="left")
    up_to = np.searchsorted(ordered, losses, side="right")
    if size == 0.0:
        return np.asarray(ndtri(0.5 * (below + up_to + 1) / (len(losses) + 1.0)))
    count = int(worse.sum())
    scores = ndtri(0.5 + 0.5 * (up_to - (len(losses) - count)) / (count + 1.0))
    return np.where(worse, median + np.minimum(distance, size * scores), losses)
