import numpy as np
import pytest
from scipy.special import ndtri

from besom.search.bayes.losses import half_rank_warp, standardised


def test_the_better_half_is_left_alone_and_the_worse_half_is_drawn_in():
    losses = np.array([0.0, 1.0, 2.0, 5.0, 1e6])
    size = ((4 + 1 + 0) / 3) ** 0.5
    expected = [0.0, 1.0, 2.0, 2 + size * ndtri(0.5 + 0.5 / 3), 2 + size * ndtri(0.5 + 1 / 3)]
    np.testing.assert_allclose(half_rank_warp(losses), expected)


def test_a_worse_loss_is_not_made_worse_than_it_is():
    losses = np.array([-10.0, 0.0, 0.1])
    assert half_rank_warp(losses)[2] == pytest.approx(0.1)


def test_equal_losses_stay_equal_and_order_is_kept():
    losses = np.array([3.0, 1.0, 2.0, 9.0, 9.0, 70.0, 1.0])
    warped = half_rank_warp(losses)
    assert warped[3] == warped[4]
    assert warped[1] == warped[6]
    assert list(np.argsort(warped, kind="stable")) == list(np.argsort(losses, kind="stable"))


def test_where_most_losses_are_the_best_all_are_ranked():
    warped = half_rank_warp(np.array([0.5, 0.5, 0.5, 0.7, 1e9]))
    np.testing.assert_allclose(warped, ndtri(np.array([2, 2, 2, 4, 5]) / 6))


@pytest.mark.parametrize("unit", [1.0, 1e100, 1e-200, -1e100])
def test_values_have_mean_0_and_deviation_1_in_any_unit(unit):
    found = standardised(unit * np.array([1.0, 2.0, 4.0, 8.0, 16.0]))
    assert found.values.mean() == pytest.approx(0.0, abs=1e-12)
    assert found.values.std() == pytest.approx(1.0)


@pytest.mark.parametrize("losses", [[3.0], [3.0, 3.0, 3.0], [0.0, 0.0]])
def test_equal_losses_are_all_0(losses):
    found = standardised(np.array(losses))
    np.testing.assert_array_equal(found.values, np.zeros(len(losses)))
    assert found.loss(0.0) == losses[0]


def test_a_value_stands_for_its_loss_and_back():
    losses = np.array([4.0, 0.5, 1.0, 1e9, 3.0, 2.0])
    found = standardised(losses)
    for loss, value in zip(losses, found.values, strict=True):
        assert found.loss(float(value)) == pytest.approx(loss)
    np.testing.assert_allclose(found.value(losses), found.values)
    assert np.isnan(found.value(np.array([np.nan]))[0])


def test_below_all_values_the_scale_goes_on():
    found = standardised(np.array([1.0, 2.0, 3.0]))
    assert found.loss(float(found.values[0]) - 2.0) == pytest.approx(1.0 - 2.0 * found.scale)


def test_two_losses_at_the_median_keep_their_distance():
    found = standardised(np.array([1.0, 3.0]))
    np.testing.assert_allclose(found.values, [-1.0, 1.0])
