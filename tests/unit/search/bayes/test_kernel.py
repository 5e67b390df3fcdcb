import numpy as np
import pytest

from besom.search.bayes.kernel import matern52, squared_differences

NAN = float("nan")


def test_the_correlation_is_the_closed_form():
    distance = np.array([0.0, 0.3, 1.0, 4.0])
    expected = [1.0, 0.874810125, 0.523994108, 0.004727837]
    by_hand = [(1 + 5**0.5 * r + 5 * r * r / 3) * np.exp(-(5**0.5) * r) for r in distance]
    found, _ = matern52(distance**2)
    np.testing.assert_allclose(found, by_hand, rtol=1e-14)
    np.testing.assert_allclose(found[[0, 2]], [expected[0], expected[2]], rtol=1e-8)


@pytest.mark.parametrize("squared", [1e-4, 0.09, 1.0, 25.0])
def test_the_slope_is_the_difference_quotient(squared):
    step = 1e-6 * squared
    above, below = matern52(np.array([squared + step]))[0], matern52(np.array([squared - step]))[0]
    assert matern52(np.array([squared]))[1] == pytest.approx((above - below) / (2 * step), rel=1e-6)


def test_at_distance_0_the_slope_is_finite():
    assert matern52(np.array([0.0]))[1] == pytest.approx(-5 / 6)


def test_numbers_differ_by_their_square_and_categories_by_1():
    is_category = np.array([False, True])
    a = np.array([[0.2, 1.0], [0.7, 2.0]])
    b = np.array([[0.5, 1.0]])
    found = squared_differences(a, b, is_category)
    np.testing.assert_allclose(found, [[[0.09], [0.04]], [[0.0], [1.0]]])


def test_what_has_no_value_equals_its_like_and_nothing_else():
    is_category = np.array([False, True])
    a = np.array([[NAN, NAN], [0.25, 1.0]])
    found = squared_differences(a, a, is_category)
    np.testing.assert_array_equal(found, [[[0.0, 1.0], [1.0, 0.0]]] * 2)


def test_points_without_coordinates_are_equal():
    assert squared_differences(np.empty((2, 0)), np.empty((3, 0)), np.empty(0, dtype=bool)).shape == (0, 2, 3)
