"""Two labels, and a Gaussian process of how likely each is: which hyperparameters they speak for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs
from scipy.special import log_ndtr

from besom.search.bayes.kernel import JITTER, MEAN_VARIANCE, Kernel, matern52, squared_differences
from besom.search.bayes.logarithms import log_pdf
from besom.search.bayes.priors import Priors
from besom.search.bayes.process import Process, inverse_factor

Array = NDArray[np.float64]

STEPS = 30  # of Newton's method at most
ENOUGH = 1e-8  # change of the objective at which it ends
LEAST_CURVATURE = 1e-10


@dataclass(frozen=True, slots=True)
class Likelihood:
    """log Φ(label · f) at n points: its sum, and its first, negative second and third derivatives (n,) by f."""

    total: float
    pull: Array
    curvature: Array
    third: Array

    @classmethod
    def at(cls, f: Array, labels: Array) -> Likelihood:
        """Rasmussen and Williams 2006, equation 3.16."""
        z = labels * f
        logs = log_ndtr(z)
        ratio = np.exp(log_pdf(z) - logs)
        curvature = ratio * (z + ratio)
        third = labels * (curvature * (z + 2.0 * ratio) - ratio)
        return cls(float(logs.sum()), labels * ratio, np.maximum(curvature, LEAST_CURVATURE), third)


class LabelPosterior:
    """The density of hyperparameters given labels (n,), 1 and -1, at points (n, D).

    P(label = 1) = Φ(f), f a Gaussian process whose mean is a constant with a normal prior of variance `MEAN_VARIANCE`,
    integrated out, by Laplace's approximation: Rasmussen and Williams 2006, sections 3.4 and 5.5.1. Settings are as in
    `Kernel`; their noise variance means nothing here, as Φ is the noise.
    """

    def __init__(self, x: Array, labels: Array, is_category: NDArray[np.bool_], priors: Priors) -> None:
        self._x = x
        self._is_category = is_category
        self._pairs = np.triu_indices(len(labels), 1)
        self._differences = squared_differences(x, x, is_category)[:, self._pairs[0], self._pairs[1]]
        self._labels = labels
        self.priors = priors

    def negative(self, theta: Array) -> tuple[float, Array]:
        """The negative logarithm without its constant, and its gradient (D + 2,).

        Algorithm 5.1 over the pairs i < j. Of its s₂ the sign is turned: log |B| grows where the curvature does.
        """
        inverse = np.exp(-2.0 * theta[:-2])
        signal = float(np.exp(theta[-2]))
        correlation, slope = matern52(inverse @ self._differences)
        covariance = np.empty((len(self._x), len(self._x)))
        covariance[self._pairs] = signal * correlation + MEAN_VARIANCE
        covariance.T[self._pairs] = covariance[self._pairs]
        np.fill_diagonal(covariance, signal + MEAN_VARIANCE + JITTER)
        likelihood, f, weights = self._mode(covariance)
        factor = _factor(covariance, likelihood)
        log_determinant = 2.0 * float(np.log(np.diagonal(factor)).sum())
        solved = np.tril(dpotri(factor, lower=1)[0])
        solved += np.tril(solved, -1).T
        root = np.sqrt(likelihood.curvature)
        rest = root[:, None] * solved * root
        by_mode = 0.5 * (1.0 - np.diagonal(solved)) / likelihood.curvature * likelihood.third
        by_mode -= rest @ (covariance @ by_mode)
        pull = likelihood.pull
        first, second = self._pairs
        weight = pull[first] * pull[second] - rest[self._pairs]
        weight += by_mode[first] * pull[second] + by_mode[second] * pull[first]
        diagonal = 0.5 * (np.square(pull) - np.diagonal(rest)) + by_mode * pull
        prior, gradient = self.priors.log_density(theta)
        gradient[:-2] -= 2.0 * signal * inverse * (self._differences @ (weight * slope))
        gradient[-2] += signal * float(weight @ correlation + diagonal.sum())
        return 0.5 * float(weights @ f) - likelihood.total + 0.5 * log_determinant - prior, -gradient

    def process(self, settings: Array) -> Process:
        """The process under each of the settings (S, D + 2): algorithm 3.2."""
        kernel = Kernel(settings, self._is_category)
        alpha, whitener = [], []
        for covariance in kernel.between(self._x, self._x):
            covariance[np.diag_indices(len(covariance))] += JITTER
            likelihood, _, _ = self._mode(covariance)
            root = np.sqrt(likelihood.curvature)
            alpha.append(likelihood.pull)
            whitener.append(inverse_factor(_b(covariance, root)) * root)
        return Process(kernel, self._x, np.array(alpha), np.array(whitener))

    def _mode(self, covariance: Array) -> tuple[Likelihood, Array, Array]:
        """The most probable f (n,), the likelihood there, and f by the covariance (n,): Newton's method, algorithm 3.1."""
        f = np.zeros(len(self._labels))
        weights = f
        objective = -np.inf
        likelihood = Likelihood.at(f, self._labels)
        for _ in range(STEPS):
            factor = _factor(covariance, likelihood)
            root = np.sqrt(likelihood.curvature)
            wanted = likelihood.curvature * f + likelihood.pull
            weights = wanted - root * dpotrs(factor, root * (covariance @ wanted), lower=1)[0]
            f = covariance @ weights
            likelihood = Likelihood.at(f, self._labels)
            before, objective = objective, likelihood.total - 0.5 * float(weights @ f)
            if objective - before < ENOUGH:
                break
        return likelihood, f, weights


def _b(covariance: Array, root: Array) -> Array:
    """B = I + W^½ K W^½, equation 3.26."""
    b: Array = root[:, None] * covariance * root
    b[np.diag_indices(len(b))] += 1.0
    return b


def _factor(covariance: Array, likelihood: Likelihood) -> Array:
    factor, failed = dpotrf(_b(covariance, np.sqrt(likelihood.curvature)).T, lower=1, clean=0, overwrite_a=1)
    if failed:
        raise LinAlgError("a covariance of labels is not positive definite")
    return np.asarray(factor)
