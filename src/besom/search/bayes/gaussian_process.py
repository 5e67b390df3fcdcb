"""A Gaussian process under several settings of its hyperparameters at once."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dtrtri
from scipy.special import softmax

from besom.search.bayes.hyperparameters import JITTER, MEAN_VARIANCE, Hyperparameters
from besom.search.bayes.kernel import matern52, squared_differences

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


class GaussianProcess:
    """Values (n,) at points (n, D), standardised; the mean is a constant with a normal prior, integrated out.

    Matérn-5/2 with one length a coordinate; ``extra`` (n,) is noise variance that a value has besides the common one.
    Rasmussen and Williams 2006, algorithm 2.1, with the inverse of the Cholesky factor, as that is used a thousand
    times. Raises LinAlgError where a covariance is not positive definite.
    """

    def __init__(
        self, x: Array, y: Array, extra: Array, is_category: NDArray[np.bool_], hyperparameters: Hyperparameters
    ) -> None:
        settings = hyperparameters.settings
        self.weights = softmax(hyperparameters.log_weights)
        self._is_category = is_category
        self._inverse = np.exp(-2.0 * settings[:, :-2])
        self._signal, self._noise = np.exp(settings[:, -2:].T)
        self._prior = self._signal + MEAN_VARIANCE
        self.x = x
        noise = self._noise[:, None] + extra + JITTER
        # The inverse of the lower Cholesky factor under each setting, (S, n, n): it whitens.
        self._whitener = np.array([inverse_factor(each) for each in _with_diagonal(self._between(x, x), noise)])
        self._set_values(np.tile(y, (len(settings), 1)), noise)

    @property
    def smallest_mean(self) -> Array:
        """The smallest posterior mean (S,) over the points: the best value as far as it is no luck of the noise."""
        return self.fitted.min(axis=1)

    def predict(self, points: Array) -> Prediction:
        """What is known of the value at points (m, D)."""
        shape = (len(self._signal), len(points))
        mean, explained = np.empty(shape), np.empty(shape)
        block = max(1, MOST_CELLS // max(1, self.x.size))
        for start in range(0, len(points), block):
            part = slice(start, start + block)
            covariance = self._between(points[part], self.x)
            mean[:, part] = (covariance @ self._alpha[:, :, None])[:, :, 0]
            explained[:, part] = np.square(covariance @ self._whitener.transpose(0, 2, 1)).sum(axis=2)
        return Prediction(mean, self._left(explained.T).T)

    def slope(self, point: Array) -> Slope:
        """What is known of the value at one point (D,), and how that changes with its coordinates."""
        differences = point - self.x
        differences[np.isnan(differences)] = 0.0
        differences[:, self._is_category] = 0.0
        squared = squared_differences(point[None, :], self.x, self._is_category)[:, 0, :]
        correlation, slope = matern52(self._inverse @ squared)
        covariance = self._signal[:, None] * correlation + MEAN_VARIANCE
        whitened = _times(self._whitener, covariance)
        weights = _transposed_times(self._whitener, whitened)
        factor = 2.0 * self._signal[:, None] * self._inverse
        return Slope(
            mean=(covariance * self._alpha).sum(axis=1),
            variance=self._left(np.square(whitened).sum(axis=1)),
            mean_gradient=factor * ((self._alpha * slope) @ differences),
            variance_gradient=-2.0 * factor * ((weights * slope) @ differences),
        )

    def extended(self, points: Array, known: Array) -> GaussianProcess:
        """The process with points (p, D) that are under way, under the same settings.

        Where ``known`` (p,) is NaN the value is taken to be what the process expects (kriging believer: Ginsbourger,
        Le Riche and Carraro 2010), so that nothing is learned but that the point is taken. Else it is that value with
        ten times the noise.
        """
        across = _times_rows(self._between(points, self.x), self._whitener)
        noise = np.where(np.isnan(known), 1.0, 10.0) * self._noise[:, None] + JITTER
        within = _with_diagonal(self._between(points, points), noise) - across @ across.transpose(0, 2, 1)
        corner = np.array([inverse_factor(each) for each in within])
        size, count = len(self.x), len(points)
        larger = copy(self)
        larger.x = np.concatenate([self.x, points])
        larger._whitener = np.zeros((len(corner), size + count, size + count))
        larger._whitener[:, :size, :size] = self._whitener
        larger._whitener[:, size:, size:] = corner
        larger._whitener[:, size:, :size] = -corner @ (across @ self._whitener)
        believed = np.where(np.isnan(known), self.predict(points).mean, known)
        larger._set_values(np.concatenate([self.values, believed], axis=1), np.concatenate([self._noises, noise], axis=1))
        return larger

    def left_out(self) -> Array:
        """What the others say of each point: the means (S, n) with its own value left out.

        Rasmussen and Williams 2006, equation 5.12.
        """
        return self.values - self._alpha / np.square(self._whitener).sum(axis=1)

    def _between(self, a: Array, b: Array) -> Array:
        """The covariances (S, n, m) of the values without noise."""
        squared = squared_differences(a, b, self._is_category)
        correlation, _ = matern52(np.tensordot(self._inverse, squared, axes=1))
        return self._signal[:, None, None] * correlation + MEAN_VARIANCE

    def _set_values(self, y: Array, noise: Array) -> None:
        self.values, self._noises = y, noise
        self._alpha = _transposed_times(self._whitener, _times(self._whitener, y))
        # The means at the points themselves (S, n), as K α = y - noise α.
        self.fitted = y - noise * self._alpha

    def _left(self, explained: Array) -> Array:
        """The variance that is left of the prior's; the last axis is S."""
        return np.maximum(self._prior - explained, LEAST_VARIANCE * self._prior)


def inverse_factor(covariance: Array) -> Array:
    """The inverse of the lower Cholesky factor; raises LinAlgError where there is none."""
    factor, failed = dpotrf(covariance, lower=1, clean=1)
    if not failed:
        factor, failed = dtrtri(factor, lower=1, overwrite_c=1)
    if failed or not np.isfinite(factor).all():
        raise LinAlgError("a covariance is not positive definite")
    return np.ascontiguousarray(factor)


def _with_diagonal(covariance: Array, noise: Array) -> Array:
    """Covariances (S, n, n) with noise (S, n) added on the diagonal, in place."""
    at = np.arange(covariance.shape[1])
    covariance[:, at, at] += noise
    return covariance


def _times(matrices: Array, vectors: Array) -> Array:
    return (matrices @ vectors[:, :, None])[:, :, 0]


def _transposed_times(matrices: Array, vectors: Array) -> Array:
    return (vectors[:, None, :] @ matrices)[:, 0, :]


def _times_rows(rows: Array, matrices: Array) -> Array:
    return rows @ matrices.transpose(0, 2, 1)
