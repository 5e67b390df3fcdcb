import numpy as np
import pytest

from besom.search.bayes.priors import dimension_scaled_priors


def test_lengths_are_expected_to_grow_with_the_root_of_the_dimension():
    few, many = dimension_scaled_priors(4), dimension_scaled_priors(16)
    assert many.centre[0] - few.centre[0] == pytest.approx(np.log(2.0))
    assert few.centre.shape == few.deviation.shape == few.low.shape == few.high.shape == (6,)


def test_the_density_is_that_of_independent_normals():
    priors = dimension_scaled_priors(2)
    at = priors.centre + np.array([3.0**0.5, 0.0, -1.0, 3.0])
    value, gradient = priors.log_density(at)
    assert value == pytest.approx(-0.5 * (1.0 + 1.0 + 4.0))
    np.testing.assert_allclose(gradient, [-(3.0**-0.5), 0.0, 1.0, -3.0 / 1.5**2])


def test_the_centre_lies_within_the_bounds():
    for dimension in (0, 1, 300, 10_000_000):
        priors = dimension_scaled_priors(min(dimension, 1000))
        assert ((priors.low <= priors.centre) & (priors.centre <= priors.high)).all()
