"""How likely a run is not to fail."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from besom.search.bayes.budget import Budget
from besom.search.bayes.gaussian_process import GaussianProcess
from besom.search.bayes.hyperparameters import Hyperparameters, LogPosterior, most_probable
from besom.search.bayes.priors import dimension_scaled_priors

Array = NDArray[np.float64]

NOISE_CENTRE = -2.5
SOFTNESS = 0.05
EXPONENT = 3.0


class Feasibility:
    """A Gaussian process of labels, 1 for runs that gave a value and -1 for failed ones, at points (n, D).

    P(ok | x) = Φ(m / √(0.05 + s²)) with its mean and variance, by which the improvement is weighted as in Gelbart,
    Snoek and Adams, UAI 2014. It counts ``exponent`` times: once goes on paying for failures at the edge of what can
    run after the optimum there is found.
    """

    def __init__(
        self, x: Array, ok: NDArray[np.bool_], is_category: NDArray[np.bool_], budget: Budget, exponent: float
    ) -> None:
        x, ok = x[-budget.labelled :], ok[-budget.labelled :]
        labels = np.where(ok, 1.0, -1.0)
        extra = np.zeros(len(x))
        posterior = LogPosterior(x, labels, extra, is_category, dimension_scaled_priors(x.shape[1], NOISE_CENTRE))
        mode = most_probable(posterior, budget.iterations, starts=1)
        self._process = GaussianProcess(x, labels, extra, is_category, Hyperparameters.of(mode))
        self.exponent = exponent

    def log_probability(self, points: Array) -> Array:
        """log P(ok) at points (m, D)."""
        found = self._process.predict(points)
        return np.asarray(log_ndtr(found.mean[0] / np.sqrt(SOFTNESS + found.variance[0])))

    def reward(self, points: Array) -> Array:
        """What the acquisition adds for points (m, D)."""
        return self.exponent * self.log_probability(points)

    def slope(self, point: Array) -> tuple[float, Array]:
        """The reward of a point (D,) and its gradient."""
        found = self._process.slope(point)
        variance = SOFTNESS + found.variance[0]
        z = found.mean[0] / np.sqrt(variance)
        gradient = found.mean_gradient[0] / np.sqrt(variance) - 0.5 * z / variance * found.variance_gradient[0]
        log_cdf = float(log_ndtr(z))
        ratio = np.exp(-0.5 * z * z - 0.5 * np.log(2.0 * np.pi) - log_cdf)
        return self.exponent * log_cdf, self.exponent * ratio * gradient


def exponent(ok: NDArray[np.bool_]) -> float:
    """How often the logarithm of P(ok) counts after these ended runs (e,), in their order."""
    return EXPONENT
