"""Noisy values as a Gaussian process."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from besom.search.bayes.hyperparameters import Hyperparameters
from besom.search.bayes.kernel import JITTER, Kernel
from besom.search.bayes.process import Process, inverse_factor, times, transposed_times

Array = NDArray[np.float64]

NOISIER = 10.0  # the noise of a value that a run has shown under way, as against a final one


class GaussianProcess:
    """A process under each of S settings that was seen with noise.

    ``values`` and the variances of their noise ``noise`` are (S, n), ``weights`` (S,) are those of the settings, and
    ``fitted`` (S, n) the means at the points themselves. Raises LinAlgError where a covariance is not positive
    definite.
    """

    def __init__(
        self, kernel: Kernel, weights: Array, x: Array, whitener: Array, values: Array, noise: Array
    ) -> None:
        self.weights = weights
        self.values = values
        self.noise = noise
        alpha = transposed_times(whitener, times(whitener, values))
        self.fitted = values - noise * alpha  # as K α = y - noise α
        self.process = Process(kernel, x, alpha, whitener)

    @classmethod
    def of(
        cls, x: Array, y: Array, extra: Array, is_category: NDArray[np.bool_], hyperparameters: Hyperparameters
    ) -> GaussianProcess:
        """That of standardised values (n,) at points (n, D); ``extra`` (n,) is added to the common noise variance."""
        kernel = Kernel(hyperparameters.settings, is_category)
        noise = kernel.noise[:, None] + extra + JITTER
        whitener = np.array([inverse_factor(each) for each in _with_noise(kernel.between(x, x), noise)])
        values = np.tile(y, (len(noise), 1))
        return cls(kernel, softmax(hyperparameters.log_weights), x, whitener, values, noise)

    @property
    def smallest_mean(self) -> Array:
        """The smallest posterior mean (S,) over the points: the best value as far as it is no luck of the noise."""
        return self.fitted.min(axis=1)

    def extended(self, points: Array, known: Array) -> GaussianProcess:
        """The process with points (p, D) that are under way, under the same settings: a Cholesky factor that grows.

        Where ``known`` (p,) is NaN the value is taken to be what the process expects (kriging believer: Ginsbourger,
        Le Riche and Carraro 2010), so that nothing is learned but that the point is taken. Else it is that value with
        ten times the noise.
        """
        old, kernel = self.process, self.process.kernel
        noise = np.where(np.isnan(known), 1.0, NOISIER) * kernel.noise[:, None] + JITTER
        across = kernel.between(points, old.x) @ old.whitener.transpose(0, 2, 1)
        within = _with_noise(kernel.between(points, points), noise) - across @ across.transpose(0, 2, 1)
        corner = np.array([inverse_factor(each) for each in within])
        size = len(old.x)
        whitener = np.zeros((len(corner), size + len(points), size + len(points)))
        whitener[:, :size, :size] = old.whitener
        whitener[:, size:, size:] = corner
        whitener[:, size:, :size] = -corner @ (across @ old.whitener)
        believed = np.where(np.isnan(known), old.predict(points).mean, known)
        return GaussianProcess(
            kernel,
            self.weights,
            np.concatenate([old.x, points]),
            whitener,
            np.concatenate([self.values, believed], axis=1),
            np.concatenate([self.noise, noise], axis=1),
        )

    def left_out(self) -> Array:
        """What the others say of each point: the means (S, n) with its own value left out.

        Rasmussen and Williams 2006, equation 5.12.
        """
        return self.values - self.process.alpha / np.square(self.process.whitener).sum(axis=1)


def _with_noise(covariance: Array, noise: Array) -> Array:
    """Covariances (S, n, n) with variances of noise (S, n) added on the diagonal, in place."""
    at = np.arange(covariance.shape[1])
    covariance[:, at, at] += noise
    return covariance
