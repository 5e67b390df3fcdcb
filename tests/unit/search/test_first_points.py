from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from besom.search.first_points import centre, first_count, first_points
from besom.space import Parameter, SearchSpace, make_distribution, params_hash
from besom.space.encoding import Encoding

Given = tuple[str, dict[str, Any]]


def encoding(**parameters: Given) -> Encoding:
    return Encoding(
        SearchSpace(
            [Parameter((name,), make_distribution(kind, options)) for name, (kind, options) in parameters.items()]
        )
    )


def ints(size: int) -> Given:
    return "int_uniform", {"min": 1, "max": size}


def uniforms(count: int) -> Encoding:
    return encoding(**{f"x{j:03}": ("uniform", {"min": 0, "max": 1}) for j in range(count)})


MIXED = encoding(
    lr=("log_uniform_values", {"min": 1e-4, "max": 1}),
    name=("categorical_w_probabilities", {"values": ["sgd", "adam", "lion"], "probabilities": [0.2, 0.5, 0.3]}),
    noise=("normal", {"mu": 3, "sigma": 1}),
    width=("categorical", {"values": [16, 32, 64, 128, 256]}),
    epochs=("constant", {"value": 5}),
)


@pytest.mark.parametrize(("dimension", "count"), [(0, 5), (1, 5), (3, 5), (4, 6), (6, 8), (8, 10), (150, 10)])
def test_there_are_more_first_points_in_more_dimensions_up_to_ten(dimension: int, count: int) -> None:
    assert first_count(dimension) == count
    if dimension:
        assert first_points(uniforms(dimension), 3).shape == (count, dimension)


def test_the_centre_comes_first() -> None:
    first = MIXED.decode(first_points(MIXED, 8)[0])
    assert first == {"lr": pytest.approx(0.01), "name": "adam", "noise": 3, "width": 64, "epochs": 5}
    assert np.array_equal(first_points(MIXED, 8)[0], centre(MIXED))


def test_first_points_are_reachable_spread_and_functions_of_the_seed() -> None:
    points = first_points(MIXED, 8)
    assert np.array_equal(MIXED.snap(points), points)
    assert all(MIXED.space.contains(MIXED.decode(x)) for x in points)
    assert np.array_equal(first_points(MIXED, 8), points)
    assert not np.any(first_points(MIXED, 9)[1:, 0] == points[1:, 0])
    # The four points after the centre are one in each quarter of a continuous range.
    assert sorted(np.floor(first_points(uniforms(3), 1)[1:, 0] * 4)) == [0, 1, 2, 3]


def test_probabilities_are_respected() -> None:
    drawn = np.concatenate([first_points(MIXED, seed)[1:, 1] for seed in range(300)])
    assert [np.mean(drawn == name) for name in range(3)] == pytest.approx([0.2, 0.5, 0.3], abs=0.05)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6, 1000])
def test_first_points_are_distinct_as_far_as_there_are_enough(size: int) -> None:
    each = encoding(a=ints(size + 1) if size > 1 else ("constant", {"value": 1}))
    for seed in range(20):
        points = first_points(each, seed)
        assert len({params_hash(each.decode(x)) for x in points}) == len(points) == min(each.size() or 0, 5)


def test_points_that_draws_hardly_reach_are_no_first_points() -> None:
    rare = ("categorical_w_probabilities", {"values": ["x", "y"], "probabilities": [1 - 1e-12, 1e-12]})
    each = encoding(a=rare, b=ints(3))
    assert [each.decode(x)["a"] for x in first_points(each, 0)] == ["x"] * 3
