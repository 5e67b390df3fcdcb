"""Which hyperparameters the runs speak for: the most probable ones, and draws around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs
from scipy.optimize import minimize

from besom.search.bayes.kernel import JITTER, MEAN_VARIANCE, matern52, squared_differences
from besom.search.bayes.priors import Priors

Array = NDArray[np.float64]

MOST_DEVIATION = 2.0  # of a draw, in logarithms: where the data say nothing the quadratic is no guide
STEP = 1e-3  # of the finite differences
LEAST_LOG_WEIGHT = -10.0  # lighter draws are left out
_REFUSED = 1e10  # the objective where the matrix is not positive definite: the line search turns back


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Settings (S, D + 2) as in `Kernel` and the logarithms (S,) of their weights; the first is the most probable."""

    settings: Array
    log_weights: Array

    @classmethod
    def of(cls, setting: Array) -> Hyperparameters:
        """One setting (D + 2,) alone."""
        return cls(setting[np.newaxis], np.zeros(1))


class Posterior(Protocol):
    """The density of a setting, given what was seen."""

    @property
    def priors(self) -> Priors:
        """What was believed before."""

    def negative(self, theta: Array) -> tuple[float, Array]:
        """The negative logarithm of a setting (D + 2,) without its constant, and its gradient."""


class LogPosterior:
    """The density of hyperparameters given n points (n, D) and their standardised values (n,).

    ``extra`` (n,) is noise variance that a value has besides the common one.
    """

    def __init__(self, x: Array, y: Array, extra: Array, is_category: NDArray[np.bool_], priors: Priors) -> None:
        first, second = np.triu_indices(len(y), 1)
        self._pairs = first * len(y) + second
        self._differences = squared_differences(x, x, is_category).reshape(x.shape[1], -1)[:, self._pairs]
        self._y = y
        self._extra = extra
        self.priors = priors

    def negative(self, theta: Array) -> tuple[float, Array]:
        """The negative logarithm without its constant, and its gradient (D + 2,).

        Rasmussen and Williams 2006, equations 5.8 and 5.9, over the pairs i < j instead of the whole matrix.
        """
        inverse = np.exp(-2.0 * theta[:-2])
        signal, noise = np.exp(theta[-2:])
        correlation, slope = matern52(inverse @ self._differences)
        covariance = np.empty((len(self._y), len(self._y)))
        covariance.ravel()[self._pairs] = signal * correlation + MEAN_VARIANCE
        np.fill_diagonal(covariance, signal + MEAN_VARIANCE + noise + self._extra + JITTER)
        # LAPACK sees the transpose of an array in C order, so that our upper triangle is its lower one.
        factor, failed = dpotrf(covariance.T, lower=1, clean=0, overwrite_a=1)
        if failed:
            return _REFUSED, np.zeros_like(theta)
        log_determinant = 2.0 * float(np.log(np.diagonal(factor)).sum())
        alpha = dpotrs(factor, self._y, lower=1)[0]
        precision = dpotri(factor, lower=1, overwrite_c=1)[0].T
        weight = np.outer(alpha, alpha).ravel()[self._pairs] - precision.ravel()[self._pairs]
        trace = float(alpha @ alpha) - float(np.trace(precision))
        prior, gradient = self.priors.log_density(theta)
        gradient[:-2] -= 2.0 * signal * inverse * (self._differences @ (weight * slope))
        gradient[-2] += signal * (float(weight @ correlation) + 0.5 * trace)
        gradient[-1] += 0.5 * noise * trace
        return 0.5 * float(self._y @ alpha) + 0.5 * log_determinant - prior, -gradient


def most_probable(posterior: Posterior, iterations: int, starts: int = 2) -> Array:
    """The mode (D + 2,), by L-BFGS-B from the priors' centre and from its opposite, rough and noisy values.

    Smooth with noise or rough without is the choice that data leave open, so that one start in each is worth more
    than many at random; and as no start is an earlier answer, the mode is a function of the data alone.
    """
    priors = posterior.priors
    rough = priors.centre - np.array([*priors.deviation[:-2], 0.0, -2.5 * priors.deviation[-1]])
    best = (np.inf, priors.centre)
    for start in (priors.centre, np.clip(rough, priors.low, priors.high))[:starts]:
        found = minimize(
            posterior.negative,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(priors.low, priors.high, strict=True)),
            options={"maxiter": iterations, "ftol": 1e-7},
        )
        if found.fun < best[0]:
            best = (float(found.fun), found.x)
    return best[1]


def spread_around(posterior: Posterior, mode: Array, count: int, rng: Generator) -> Hyperparameters:
    """The mode and ``count`` draws of the normal law that touches the posterior there (Laplace).

    The Hessian is made of finite differences of the gradient. A draw that the posterior finds less likely than the
    normal law does weighs less by that ratio: importance weights cut at 1 (Ionides 2008).
    """
    priors = posterior.priors
    value, gradient = posterior.negative(mode)
    hessian = np.empty((len(mode), len(mode)))
    for j in range(len(mode)):
        # A step inward, as the mode may lie on a bound.
        step = STEP if mode[j] + STEP <= priors.high[j] else -STEP
        moved = mode.copy()
        moved[j] += step
        hessian[j] = (posterior.negative(moved)[1] - gradient) / step
    curvature, axes = np.linalg.eigh(0.5 * (hessian + hessian.T))
    deviation = 1.0 / np.sqrt(np.maximum(curvature, MOST_DEVIATION**-2))
    settings, log_weights = [mode], [0.0]
    for normal in rng.standard_normal((count, len(mode))):
        draw = np.clip(mode + axes @ (deviation * normal), priors.low, priors.high)
        log_weight = min(0.0, value - posterior.negative(draw)[0] + 0.5 * float(normal @ normal))
        if log_weight > LEAST_LOG_WEIGHT:
            settings.append(draw)
            log_weights.append(log_weight)
    return Hyperparameters(np.array(settings), np.array(log_weights))
