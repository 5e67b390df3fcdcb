from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import qmc

from besom.search import sobol_points
from besom.search.sobol_points import SobolPoints

TABLE = SobolPoints.DIMENSIONS


def test_unscrambled_directions_give_the_sequence_of_joe_and_kuo() -> None:
    # SciPy has the same table, and visits the points in the order of the Gray code.
    expected = qmc.Sobol(TABLE, scramble=False, bits=52).random(256)
    directions = np.array([sobol_points._directions(j) for j in range(TABLE)], dtype=np.uint64)
    gray = np.arange(256, dtype=np.uint64)
    gray ^= gray >> np.uint64(1)
    bits = np.zeros((256, TABLE), dtype=np.uint64)
    for place in range(8):
        bits ^= (gray[:, np.newaxis] >> np.uint64(place) & np.uint64(1)) * directions[:, place]
    assert np.array_equal(bits.astype(np.float64) * 2.0**-52, expected)


@pytest.mark.parametrize("start", [0, 256, 3 * 2**20])
def test_every_interval_of_a_power_of_2_holds_one_point_in_each_dimension(start: int) -> None:
    cells = np.sort(np.floor(SobolPoints(TABLE, 5).points(start, 256) * 256), axis=0)
    assert np.array_equal(cells, np.broadcast_to(np.arange(256.0)[:, np.newaxis], (256, TABLE)))


def test_every_box_of_the_first_two_dimensions_holds_as_many_points() -> None:
    points = SobolPoints(2, 9).points(0, 256)
    for wide in range(9):
        boxes = np.floor(points * [2**wide, 2 ** (8 - wide)])
        assert len(np.unique(boxes, axis=0)) == 256


def test_a_point_is_a_function_of_seed_index_and_dimension() -> None:
    points = SobolPoints(TABLE + 20, 3).points(0, 64)
    assert np.array_equal(SobolPoints(TABLE + 20, 3).points(10, 5), points[10:15])
    for fewer in (1, 7, TABLE, TABLE + 3):
        assert np.array_equal(SobolPoints(fewer, 3).points(0, 64), points[:, :fewer])
    assert not np.any(SobolPoints(TABLE + 20, 4).points(0, 64) == points)


def test_far_points_and_many_dimensions_lie_inside_and_are_spread() -> None:
    far = SobolPoints(TABLE + 50, 0).points(2**40 + 17, 2048)
    assert np.all((far > 0) & (far < 1))
    assert np.mean(far, axis=0) == pytest.approx(np.full(TABLE + 50, 0.5), abs=0.03)
    assert np.std(far, axis=0) == pytest.approx(np.full(TABLE + 50, 12**-0.5), abs=0.02)
    correlations = np.corrcoef(far[:, TABLE:], rowvar=False) - np.eye(50)
    assert np.max(np.abs(correlations)) < 0.12


def test_each_point_alone_is_uniform_over_the_seeds() -> None:
    firsts = np.concatenate([SobolPoints(3, seed).points(0, 1) for seed in range(400)])
    for quarter in range(4):
        inside = np.mean((firsts >= quarter / 4) & (firsts < (quarter + 1) / 4), axis=0)
        assert inside == pytest.approx([0.25] * 3, abs=0.08)


def test_points_are_far_more_even_than_random_ones() -> None:
    random = qmc.discrepancy(np.random.default_rng(0).random((256, 5)))
    assert qmc.discrepancy(SobolPoints(5, 1).points(0, 256)) < random / 5


def test_no_dimension_has_points_too() -> None:
    assert SobolPoints(0, 1).points(0, 3).shape == (3, 0)


def test_points_are_the_same_in_every_release() -> None:
    # Running sweeps go on after an update.
    drawn = SobolPoints(102, 3).points(17, 1)[0, [0, 1, 100, 101]]
    assert drawn.tolist() == [0.2545373527179712, 0.04101300830701071, 0.9191056836694741, 0.39023464945172515]
