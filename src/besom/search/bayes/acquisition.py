"""What a point is worth: the logarithm of the improvement that is expected there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, ndtr

from besom.search.bayes.feasibility import Feasibility
from besom.search.bayes.gaussian_process import GaussianProcess
from besom.search.bayes.logarithms import log_pdf, log_sum

Array = NDArray[np.float64]

_FAR = -100.0  # from here on 1 + z Φ/φ has lost more digits than its series leaves out


def log_improvement(z: Array) -> tuple[Array, Array, Array]:
    """log h(z) with h(z) = φ(z) + z Φ(z), and the ratios Φ/h and φ/h, of which its derivatives are made.

    Ament et al., NeurIPS 2023. For z ≤ -1 all is written with Mills' ratio R = Φ/φ = √(π/2) erfcx(-z/√2), as
    h = φ (1 + z R); below -100 with its asymptotic series, 1 + z R = z⁻² (1 - 3 z⁻² + 15 z⁻⁴ - 105 z⁻⁶).
    """
    log_h, cdf_ratio, pdf_ratio = np.empty_like(z), np.empty_like(z), np.empty_like(z)
    near = z > -1.0
    at = z[near]
    pdf = np.exp(log_pdf(at))
    cdf = ndtr(at)
    h = pdf + at * cdf
    log_h[near], cdf_ratio[near], pdf_ratio[near] = np.log(h), cdf / h, pdf / h
    at = z[~near]
    inverse = np.square(1.0 / at)
    mills = (0.5 * np.pi) ** 0.5 * erfcx(-at / 2.0**0.5)
    rest = np.where(at > _FAR, 1.0 + at * mills, inverse * (1.0 - inverse * (3.0 - inverse * (15.0 - 105.0 * inverse))))
    log_h[~near] = log_pdf(at) + np.log(rest)
    cdf_ratio[~near], pdf_ratio[~near] = mills / rest, 1.0 / rest
    return log_h, cdf_ratio, pdf_ratio


class Acquisition:
    """The logarithm of expected improvement over the best posterior mean, averaged over the settings of the process.

    Where runs have failed, the logarithm of the probability that one does not is added, times an exponent.
    """

    def __init__(self, process: GaussianProcess, feasibility: Feasibility | None = None) -> None:
        self._process = process.process
        self._feasibility = feasibility
        self._best = process.smallest_mean
        self._log_weights = np.log(process.weights)

    def value(self, points: Array) -> Array:
        """What points (m, D) are worth, (m,)."""
        found = self._process.predict(points)
        deviation = np.sqrt(found.variance)
        log_h, _, _ = log_improvement((self._best[:, None] - found.mean) / deviation)
        value = log_sum(self._log_weights[:, None] + np.log(deviation) + log_h)
        return value if self._feasibility is None else value + self._feasibility.reward(points)

    def slope(self, point: Array) -> tuple[float, Array]:
        """What a point (D,) is worth, and how that changes with its numbers; 0 for categories.

        ∇ log EI = (φ/h) ∇σ/σ - (Φ/h) ∇μ/σ under each setting.
        """
        found = self._process.slope(point)
        deviation = np.sqrt(found.variance)
        log_h, cdf_ratio, pdf_ratio = log_improvement((self._best - found.mean) / deviation)
        each = self._log_weights + np.log(deviation) + log_h
        value = float(log_sum(each))
        share = np.exp(each - value)
        gradient = (share * pdf_ratio / (2.0 * found.variance)) @ found.variance_gradient
        gradient -= (share * cdf_ratio / deviation) @ found.mean_gradient
        if self._feasibility is not None:
            reward, reward_gradient = self._feasibility.slope(point)
            return value + reward, gradient + reward_gradient
        return value, gradient
