from __future__ import annotations

import numpy as np
import pytest

from besom.search.orders import generator
from besom.search.parzen_kernels import CategoryKernels, NumberKernels, deviations


def test_the_mass_of_a_cell_far_out_is_exact() -> None:
    # A kernel of deviation 0.01 at 0.1: the cell 0.50 … 0.51 begins 40 deviations away. log(Φ(-40) - Φ(-41)) by mpmath.
    own = np.full(100, 0.1)
    logs = NumberKernels(own, lambda x: (x - 0.005, x + 0.005)).log_kernels(np.array([0.505]))
    assert logs[0, 0] == pytest.approx(-804.608442013754, rel=1e-12)


def test_kernels_of_numbers_are_cut_at_the_borders() -> None:
    numbers = np.array([0.0, 1.0, np.nan])
    logs = NumberKernels(numbers, None).log_kernels(np.array([0.0, 1.0]))
    # φ(0)/(Φ(1) - Φ(0)) at the number itself, deviation 1, and the uniform law where there is none.
    assert np.exp(logs[0]) == pytest.approx([1.168737, 0.708875, 1.0, 1.0], rel=1e-6)
    assert np.exp(logs[1]) == pytest.approx([0.708875, 1.168737, 1.0, 1.0], rel=1e-6)


def test_draws_from_kernels_of_numbers_stay_inside() -> None:
    kernels = NumberKernels(np.array([0.0, 0.02, 1.0]), None)
    drawn = kernels.sample(generator(0), np.repeat([0, 1, 2, 3], 500))
    assert 0.0 <= drawn.min() < 0.001
    assert 0.999 < drawn.max() <= 1.0


def test_a_category_is_kept_as_often_as_its_kernel_says() -> None:
    kernels = CategoryKernels(np.array([2.0] * 6), np.array([0.5, 0.25, 0.25]))
    drawn = kernels.sample(generator(0), np.zeros(20_000, dtype=np.int64))
    expected = np.exp(kernels.log_kernels(np.arange(3.0)))[:, 0]
    assert expected == pytest.approx([0.5 / 3, 0.25 / 3, 2 / 3 + 0.25 / 3])
    assert np.bincount(drawn.astype(int)) / 20_000 == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([], []),
        ([0.3], [0.7]),
        ([0.5, 0.5], [1 / 4, 1 / 4]),
        ([0.9, 0.1, 0.4], [0.5, 0.3, 0.5]),
        ([0.0, 1.0], [1.0, 1.0]),
        ([0.50, 0.51, 0.52, 0.53], [1 / 6] * 4),
    ],
)
def test_a_deviation_is_the_larger_distance_to_a_neighbour(numbers: list[float], expected: list[float]) -> None:
    assert deviations(np.array(numbers)) == pytest.approx(np.array(expected))


def test_no_deviation_is_below_a_hundredth() -> None:
    assert deviations(generator(0).random(5000)).min() == 0.01
