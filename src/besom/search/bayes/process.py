"""What is known of a Gaussian process at any point, under several settings of its hyperparameters at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dtrtri

from besom.search.bayes.kernel import MEAN_VARIANCE, Kernel, matern52, squared_differences

Array = NDArray[np.float64]

LEAST_VARIANCE = 1e-12  # as a part of the prior variance: below it a variance is rounding
MOST_CELLS = 1 << 20  # of the differences between points that are held at once: 8 MB


@dataclass(frozen=True, slots=True)
class Prediction:
    """Mean and variance (S, m) of the value without noise, under each of S settings at m points."""

    mean: Array
    variance: Array


@dataclass(frozen=True, slots=True)
class Slope:
    """Mean and variance (S,) at one point, and their derivatives (S, D) by its numbers; those by categories are 0."""

    mean: Array
    variance: Array
    mean_gradient: Array
    variance_gradient: Array


@dataclass(frozen=True, slots=True)
class Process:
    """A process that was seen at points ``x`` (n, D).

    With k its covariances with the value elsewhere, the mean there is k·α, ``alpha`` (S, n), and the variance is the
    prior's less |W k|², ``whitener`` (S, n, n): Rasmussen and Williams 2006, algorithms 2.1 and 3.2.
    """

    kernel: Kernel
    x: Array
    alpha: Array
    whitener: Array

    def predict(self, points: Array) -> Prediction:
        """What is known of the value at points (m, D)."""
        shape = (len(self.alpha), len(points))
        mean, explained = np.empty(shape), np.empty(shape)
        block = max(1, MOST_CELLS // max(1, self.x.size))
        for start in range(0, len(points), block):
            part = slice(start, start + block)
            covariance = self.kernel.between(points[part], self.x)
            mean[:, part] = (covariance @ self.alpha[:, :, None])[:, :, 0]
            explained[:, part] = np.square(covariance @ self.whitener.transpose(0, 2, 1)).sum(axis=2)
        return Prediction(mean, self._left(explained.T).T)

    def slope(self, point: Array) -> Slope:
        """What is known of the value at one point (D,), and how that changes with its coordinates."""
        kernel = self.kernel
        differences = point - self.x
        differences[np.isnan(differences)] = 0.0
        differences[:, kernel.is_category] = 0.0
        squared = squared_differences(point[None, :], self.x, kernel.is_category)[:, 0, :]
        correlation, slope = matern52(kernel.inverse @ squared)
        covariance = kernel.signal[:, None] * correlation + MEAN_VARIANCE
        whitened = times(self.whitener, covariance)
        weights = transposed_times(self.whitener, whitened)
        factor = 2.0 * kernel.signal[:, None] * kernel.inverse
        return Slope(
            mean=(covariance * self.alpha).sum(axis=1),
            variance=self._left(np.square(whitened).sum(axis=1)),
            mean_gradient=factor * ((self.alpha * slope) @ differences),
            variance_gradient=-2.0 * factor * ((weights * slope) @ differences),
        )

    def _left(self, explained: Array) -> Array:
        """The variance that is left of the prior's; the last axis is S."""
        return np.maximum(self.kernel.prior - explained, LEAST_VARIANCE * self.kernel.prior)


def inverse_factor(covariance: Array) -> Array:
    """The inverse of the lower Cholesky factor; raises LinAlgError where there is none."""
    factor, failed = dpotrf(covariance, lower=1, clean=1)
    if not failed:
        factor, failed = dtrtri(factor, lower=1, overwrite_c=1)
    if failed or not np.isfinite(factor).all():
        raise LinAlgError("a covariance is not positive definite")
    return np.ascontiguousarray(factor)


def times(matrices: Array, vectors: Array) -> Array:
    """Each of S matrices (S, n, m) times its vector (S, m)."""
    product: Array = (matrices @ vectors[:, :, None])[:, :, 0]
    return product


def transposed_times(matrices: Array, vectors: Array) -> Array:
    """Each of S transposed matrices (S, n, m) times its vector (S, n)."""
    product: Array = (vectors[:, None, :] @ matrices)[:, 0, :]
    return product
