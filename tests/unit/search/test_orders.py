from __future__ import annotations

import tracemalloc
from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from besom.search.orders import Shuffle, generator, weighted_order

# 99.9 % of chi-square values with 23 degrees of freedom lie below it; the seeds are fixed, so it holds or it does not.
CHI_SQUARE_23 = 49.7


@given(seed=st.integers(0, 2**70), size=st.integers(1, 300))
@settings(deadline=None, max_examples=30)
def test_a_shuffle_holds_every_index_once(seed: int, size: int) -> None:
    shuffle = Shuffle(seed, size)
    assert sorted(shuffle[position] for position in range(size)) == list(range(size))


def test_all_orders_of_four_are_alike() -> None:
    seeds = 1200
    orders = Counter(tuple(Shuffle(seed, 4)[position] for position in range(4)) for seed in range(seeds))
    assert set(orders) == set(permutations(range(4)))
    expected = seeds / 24
    assert sum((count - expected) ** 2 / expected for count in orders.values()) < CHI_SQUARE_23


def test_neighbours_of_a_large_shuffle_are_far_apart() -> None:
    size = 10**9
    shuffle = Shuffle(0, size)
    indices = np.array([shuffle[position] for position in range(1000)]) / size
    assert abs(np.corrcoef(indices[:-1], indices[1:])[0, 1]) < 0.1
    assert abs(indices.mean() - 0.5) < 0.03


def test_another_seed_is_another_order() -> None:
    assert [Shuffle(0, 1000)[position] for position in range(10)] != [
        Shuffle(1, 1000)[position] for position in range(10)
    ]


def test_a_shuffle_is_the_same_in_every_release() -> None:
    # Running sweeps go on after an update: another order would skip points and repeat others.
    assert [Shuffle(3, 6)[position] for position in range(6)] == SHUFFLE_3_6
    assert Shuffle(3, 10**12)[17] == SHUFFLE_3_BIG_17


@pytest.mark.parametrize("position", [-1, 5])
def test_there_is_no_position_outside_of_a_shuffle(position: int) -> None:
    with pytest.raises(IndexError, match=f"no position {position} among 5"):
        Shuffle(0, 5)[position]


def kept_by(size: int) -> int:
    tracemalloc.start()
    try:
        shuffle = Shuffle(1, size)
        assert 0 <= shuffle[size // 2] < size
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_shuffle_of_a_billion_needs_no_more_memory_than_one_of_ten() -> None:
    kept_by(10)
    assert kept_by(10**9) < kept_by(10) + 40 * Shuffle.ROUNDS


@given(seed=st.integers(0, 2**64), weights=st.lists(st.floats(0, 10), min_size=1, max_size=6))
@settings(deadline=None, max_examples=30)
def test_a_weighted_order_holds_every_point_once(seed: int, weights: list[float]) -> None:
    order = weighted_order(seed, [weights, None], [len(weights), 3])
    assert sorted(order.tolist()) == list(range(3 * len(weights)))


def test_a_weighted_order_has_the_law_of_draws_without_putting_back() -> None:
    first, second = [0.2, 0.8], [1.0, 3.0]
    weights = [one * other for one, other in product(first, second)]
    total = sum(weights)
    seeds = 4000
    pairs = Counter(tuple(weighted_order(seed, [first, second], [2, 2])[:2].tolist()) for seed in range(seeds))
    for one, other in permutations(range(4), 2):
        expected = weights[one] / total * weights[other] / (total - weights[one])
        assert pairs[one, other] / seeds == pytest.approx(expected, abs=0.02)


def test_points_of_weight_0_come_last() -> None:
    assert weighted_order(0, [[0.0, 1.0, 0.0, 1e-300]], [4]).tolist()[:2] == [1, 3]


def test_weights_whose_product_is_too_small_for_a_float_still_count() -> None:
    tiny = [1e-200, 1e-210]
    orders = [weighted_order(seed, [tiny, tiny], [2, 2]).tolist() for seed in range(20)]
    assert all(order[0] == 0 and order[3] == 3 for order in orders)


def test_streams_of_a_seed_are_independent_and_repeatable() -> None:
    assert generator(3, 17).random() == generator(3, 17).random()
    assert (
        len({generator(3).random(), generator(3, 0).random(), generator(3, 1).random(), generator(4, 0).random()}) == 4
    )


SHUFFLE_3_6 = [1, 2, 0, 5, 4, 3]
SHUFFLE_3_BIG_17 = 117577811424
