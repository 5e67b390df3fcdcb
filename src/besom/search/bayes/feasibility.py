"""How likely a run is not to fail."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, log_softmax

from besom.search.bayes.hyperparameters import Hyperparameters
from besom.search.bayes.logarithms import log_pdf, log_sum
from besom.search.bayes.process import Process

Array = NDArray[np.float64]

# The exponent before any run, its bounds, and the share of failures at which it stays what it is.
FIRST, LEAST, MOST = 3.0, 1.0, 10.0
ACCEPTED = 0.1


class Feasibility:
    """P(ok | x) = Φ(m / √(1 + s²)) with mean and variance of a process behind labels, averaged over its settings.

    The improvement is weighted by it as in Gelbart, Snoek and Adams, UAI 2014, but with an exponent. Rasmussen and
    Williams 2006, equation 3.82.
    """

    def __init__(self, process: Process, hyperparameters: Hyperparameters, exponent: float) -> None:
        self._process = process
        self._log_weights = log_softmax(hyperparameters.log_weights)
        self.exponent = exponent

    def log_probability(self, points: Array) -> Array:
        """log P(ok) at points (m, D)."""
        found = self._process.predict(points)
        return log_sum(self._log_weights[:, None] + log_ndtr(found.mean / np.sqrt(1.0 + found.variance)))

    def reward(self, points: Array) -> Array:
        """What the acquisition adds for points (m, D)."""
        return self.exponent * self.log_probability(points)

    def slope(self, point: Array) -> tuple[float, Array]:
        """The reward of a point (D,) and its gradient."""
        found = self._process.slope(point)
        variance = 1.0 + found.variance
        z = found.mean / np.sqrt(variance)
        log_cdf = log_ndtr(z)
        each = self._log_weights + log_cdf
        log_probability = float(log_sum(each))
        share = np.exp(each - log_probability + log_pdf(z) - log_cdf)
        gradient = (share / np.sqrt(variance)) @ found.mean_gradient
        gradient -= (share * 0.5 * z / variance) @ found.variance_gradient
        return self.exponent * log_probability, self.exponent * gradient


def exponent(ok: NDArray[np.bool_]) -> float:
    """How often the logarithm of P(ok) counts after these ended runs (e,), in their order.

    Once is not enough: the search would pay for failures at the edge of what can run for as long as there is something
    to gain behind it. So the exponent is the multiplier of a constraint, that one run of ten fails, and rises with
    each failure more than it falls with each run that gave a value (primal-dual: Zhou and Ji, NeurIPS 2022).
    """
    found = FIRST
    for each in ok.tolist():
        found = min(max(found + (0.0 if each else 1.0) - ACCEPTED, LEAST), MOST)
    return found
