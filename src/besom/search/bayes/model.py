"""What the runs of a sweep say of points that were not run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from besom.search.bayes.acquisition import log_improvement
from besom.search.bayes.budget import Budget
from besom.search.bayes.feasibility import Feasibility, exponent
from besom.search.bayes.gaussian_process import GaussianProcess
from besom.search.bayes.history import History
from besom.search.bayes.hyperparameters import Hyperparameters, LogPosterior, Posterior, most_probable, spread_around
from besom.search.bayes.labels import LabelPosterior
from besom.search.bayes.losses import standardised
from besom.search.bayes.priors import dimension_scaled_priors, label_priors
from besom.search.bayes.subsets import best_and_random, best_latest_and_random
from besom.search.orders import generator

Array = NDArray[np.float64]

MOST_EXTRA = 4.0  # noise variance of a standardised value that is hardly more than a guess

# Random streams of the seed that belong to the data and not to one draw.
_FITTED, _MODELLED, _SETTINGS = 0xBA1, 0xBA2, 0xBA3


class Fits:
    """Finds hyperparameters, and keeps the last ones for asks that see the same runs, as those of 16 agents in a row.

    They are a function of runs, budget and seed alone, so that it does not matter whether they were kept.
    """

    def __init__(self, is_category: NDArray[np.bool_], seed: int) -> None:
        self._is_category = is_category
        self._seed = seed
        self._kept: dict[str, tuple[tuple[object, ...], Hyperparameters]] = {}

    def losses(self, x: Array, y: Array, extra: Array, budget: Budget) -> Hyperparameters:
        """Those of values (n,) at points (n, D) with noise variances (n,) of their own."""
        rows = best_and_random(y, budget.fitted, generator(self._seed, _FITTED))
        arrays = (x[rows], y[rows], extra[rows])
        priors = dimension_scaled_priors(x.shape[1])
        return self._found("losses", lambda: LogPosterior(*arrays, self._is_category, priors), arrays, budget)

    def labels(self, posterior: LabelPosterior, x: Array, labels: Array, budget: Budget) -> Hyperparameters:
        """Those of labels (n,) at points (n, D)."""
        return self._found("labels", lambda: posterior, (x, labels), replace(budget, starts=1))

    def _found(
        self, name: str, posterior: Callable[[], Posterior], arrays: tuple[Array, ...], budget: Budget
    ) -> Hyperparameters:
        key = (budget, *(each.tobytes() for each in arrays))
        if name not in self._kept or self._kept[name][0] != key:
            asked = posterior()
            found = Hyperparameters.of(most_probable(asked, budget.iterations, budget.starts))
            if budget.draws:
                rng = generator(self._seed, _SETTINGS, len(arrays[0]))
                found = spread_around(asked, found.settings[0], budget.draws, rng)
            self._kept[name] = (key, found)
        return self._kept[name][1]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is expected of a point, in the metric's unit."""

    success_probability: float
    predicted_value: float
    predicted_value_std_dev: float
    expected_improvement: float


class Model:
    """Processes of the losses and of the failures, in which points under way are taken.

    Raises LinAlgError where a covariance is not positive definite.
    """

    def __init__(
        self, history: History, is_category: NDArray[np.bool_], budget: Budget, fits: Fits, seed: int
    ) -> None:
        self._history = history
        self._losses = standardised(history.losses)
        y = self._losses.values
        extra = np.minimum(np.square(history.deviations / (self._losses.scale or 1.0)), MOST_EXTRA)
        rows = best_latest_and_random(y, budget.modelled, generator(seed, _MODELLED))
        self._rows = rows
        found = fits.losses(history.x, y, extra, budget)
        self._told = GaussianProcess.of(history.x[rows], y[rows], extra[rows], is_category, found)
        self.process = self._told
        if len(history.pending):
            self.process = self._told.extended(history.pending, self._losses.value(history.pending_losses))
        self.feasibility: Feasibility | None = None
        if not history.ok.all():
            self.feasibility = _feasibility(history, is_category, budget, fits)

    def best_points(self, count: int) -> Array:
        """The points with the best posterior means, best first, of runs that have ended or are under way."""
        order = np.argsort(self.process.weights @ self.process.fitted, kind="stable")
        points: Array = self.process.process.x[order[:count]]
        return points

    def outlook(self, point: Array) -> Outlook:
        """What is expected of a point (D,), over all settings of the process."""
        found = self.process.process.predict(point[np.newaxis])
        means, variances = found.mean[:, 0], found.variance[:, 0]
        weights = self.process.weights
        mean = float(weights @ means)
        deviations = np.sqrt(variances)
        log_h, _, _ = log_improvement((self.process.smallest_mean - means) / deviations)
        spread = float(weights @ (variances + np.square(means - mean))) ** 0.5
        scale = self._losses.scale
        chance = 1.0 if self.feasibility is None else float(np.exp(self.feasibility.log_probability(point[None])[0]))
        return Outlook(chance, self._losses.loss(mean), spread * scale, scale * float(weights @ (deviations * np.exp(log_h))))

    def best(self) -> int | None:
        """The number of the finished run with the best posterior mean; None if it is the best observed one, too."""
        finished = self._history.deviations[self._rows] == 0.0
        rows = self._rows[finished]
        if not len(rows):
            return None
        expected = rows[np.argmin((self._told.weights @ self._told.fitted)[finished])]
        observed = rows[np.argmin(self._history.losses[rows])]
        same = self._history.losses[expected] == self._history.losses[observed]
        return None if same else self._history.numbers[int(expected)]

    def rank_agreement(self) -> float:
        """How well the process foretells the order of runs that it is not told of: Spearman's ρ, 0 if it cannot."""
        foretold = self._told.weights @ self._told.left_out()
        ranks = [np.argsort(np.argsort(each, kind="stable"), kind="stable") for each in (foretold, self._told.values[0])]
        centred = [each - each.mean() for each in ranks]
        size = float(centred[0] @ centred[0])
        return float(centred[0] @ centred[1]) / size if size > 0.0 else 0.0


def _feasibility(history: History, is_category: NDArray[np.bool_], budget: Budget, fits: Fits) -> Feasibility:
    x, ok = history.ended[-budget.labelled :], history.ok[-budget.labelled :]
    labels = np.where(ok, 1.0, -1.0)
    posterior = LabelPosterior(x, labels, is_category, label_priors(x.shape[1]))
    found = fits.labels(posterior, x, labels, budget)
    return Feasibility(posterior.process(found.settings), found, exponent(history.ok))
