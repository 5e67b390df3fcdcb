import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal

from besom.search.bayes.hyperparameters import (
    JITTER,
    MEAN_VARIANCE,
    LogPosterior,
    most_probable,
    spread_around,
)
from besom.search.bayes.kernel import matern52, squared_differences
from besom.search.bayes.priors import dimension_scaled_priors

NUMBERS = np.zeros(3, dtype=bool)


def covariance(x, theta, extra, is_category):
    squared = squared_differences(x, x, is_category)
    correlation = matern52(np.tensordot(np.exp(-2 * theta[:-2]), squared, axes=1))[0]
    return np.exp(theta[-2]) * correlation + MEAN_VARIANCE + np.diag(np.exp(theta[-1]) + extra + JITTER)


def drawn(seed, count, theta, is_category=NUMBERS):
    """Points and values of a process with these hyperparameters."""
    rng = np.random.default_rng(seed)
    x = rng.random((count, len(theta) - 2))
    x[:, is_category] = np.floor(3 * x[:, is_category])
    factor = np.linalg.cholesky(covariance(x, theta, np.zeros(count), is_category))
    return x, factor @ rng.standard_normal(count)


@pytest.mark.parametrize("is_category", [NUMBERS, np.array([False, True, False])])
def test_the_value_is_the_density_of_the_values_times_the_prior(is_category):
    theta = np.array([-0.5, 0.3, 1.0, 0.2, -3.0])
    x, y = drawn(0, 12, theta, is_category)
    extra = np.linspace(0.0, 0.4, 12)
    priors = dimension_scaled_priors(3)
    posterior = LogPosterior(x, y, extra, is_category, priors)
    law = multivariate_normal(np.zeros(12), covariance(x, theta, extra, is_category))
    expected = law.logpdf(y) + 6 * np.log(2 * np.pi) + priors.log_density(theta)[0]
    assert -posterior.negative(theta)[0] == pytest.approx(expected)


@pytest.mark.parametrize("is_category", [NUMBERS, np.array([False, True, False])])
def test_the_gradient_is_the_difference_quotient(is_category):
    theta = np.array([-0.5, 0.3, 1.0, 0.2, -3.0])
    x, y = drawn(1, 15, theta, is_category)
    posterior = LogPosterior(x, y, np.full(15, 0.1), is_category, dimension_scaled_priors(3))
    steps = 1e-5 * np.eye(5)
    expected = [(posterior.negative(theta + s)[0] - posterior.negative(theta - s)[0]) / 2e-5 for s in steps]
    assert_allclose(posterior.negative(theta)[1], expected, rtol=1e-5, atol=1e-6)


def test_the_most_probable_lengths_are_near_those_that_the_values_were_drawn_with():
    theta = np.log([0.3, 0.6, 30.0, 1.0, 1e-4])
    x, y = drawn(2, 120, theta)
    posterior = LogPosterior(x, y, np.zeros(120), NUMBERS, dimension_scaled_priors(3))
    mode = most_probable(posterior, iterations=60)
    assert np.exp(mode[0]) == pytest.approx(0.3, rel=0.5)
    assert np.exp(mode[1]) == pytest.approx(0.6, rel=0.5)
    assert np.exp(mode[2]) > 5.0
    assert np.exp(mode[-1]) < 0.01
    assert np.abs(posterior.negative(mode)[1]).max() < 0.5


def test_noise_is_found_where_there_is_some():
    rng = np.random.default_rng(3)
    x = rng.random((60, 3))
    y = rng.standard_normal(60)
    posterior = LogPosterior(x, y, np.zeros(60), NUMBERS, dimension_scaled_priors(3))
    assert np.exp(most_probable(posterior, iterations=60)[-1]) > 0.3


@pytest.mark.parametrize("count", [1, 2, 3])
def test_with_hardly_any_values_the_priors_decide(count):
    x, y = drawn(4, count, np.zeros(5))
    priors = dimension_scaled_priors(3)
    mode = most_probable(LogPosterior(x, y / 10, np.zeros(count), NUMBERS, priors), iterations=60)
    assert (np.abs(mode - priors.centre) < 1.5 * priors.deviation).all()


def test_draws_lie_around_the_mode_within_the_bounds():
    x, y = drawn(5, 20, np.array([-0.5, 0.0, 2.0, 0.0, -5.0]))
    posterior = LogPosterior(x, y, np.zeros(20), NUMBERS, dimension_scaled_priors(3))
    mode = most_probable(posterior, iterations=60)
    found = spread_around(posterior, mode, 200, np.random.default_rng(0))
    assert_allclose(found.settings[0], mode)
    assert found.log_weights[0] == 0.0
    assert (found.log_weights <= 0.0).all()
    assert ((found.settings >= posterior.priors.low) & (found.settings <= posterior.priors.high)).all()
    # The third length matters least to the values, and is known least.
    spread = found.settings.std(axis=0)
    assert spread[2] > 1.5 * spread[0]
    assert (spread < 2.5).all()
