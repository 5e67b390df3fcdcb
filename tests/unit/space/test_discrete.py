from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from besom.space import identity
from besom.space.discrete import Categorical, Constant, Discrete, IntUniform, WeightedCategorical

EXAMPLES: list[Discrete] = [
    Constant({"a": [1]}),
    Categorical(("sgd", "adam", "sgd")),
    Categorical((1, 1.0, True, "1", None, {"b": 1, "a": 2}, {"a": 2, "b": 1})),
    WeightedCategorical(("a", "b", "c", "a"), (0.2, 0.5, 0.0, 0.3)),
    WeightedCategorical(("a", "b"), (0.0, 1.0)),
    IntUniform(-2, 5),
]


@pytest.mark.parametrize("distribution", EXAMPLES, ids=str)
@given(u=st.floats(2.0**-54, 1 - 2.0**-53))
@settings(deadline=None, max_examples=50)
def test_a_quantile_is_the_finite_value_at_its_index(distribution: Discrete, u: float) -> None:
    values = distribution.finite_values()
    index = distribution.finite_index(u)
    assert 0 <= index < len(values)
    assert distribution.quantile(u) == values[index]
    assert distribution.contains(distribution.quantile(u))


@pytest.mark.parametrize("distribution", EXAMPLES, ids=str)
def test_each_value_is_drawn_as_often_as_its_weight_says(distribution: Discrete) -> None:
    values = distribution.finite_values()
    weights = distribution.finite_weights() or [1.0] * len(values)
    steps = 10_000
    drawn = [distribution.finite_index((step + 0.5) / steps) for step in range(steps)]
    for index, weight in enumerate(weights):
        assert drawn.count(index) / steps == pytest.approx(weight / sum(weights), abs=1e-3)


@pytest.mark.parametrize("distribution", EXAMPLES, ids=str)
def test_finite_values_are_distinct(distribution: Discrete) -> None:
    keys = [identity(value) for value in distribution.finite_values()]
    assert len(set(keys)) == len(keys)


def test_duplicates_are_kept_as_weight_and_listed_once() -> None:
    twice = Categorical(("sgd", "adam", "sgd"))
    assert list(twice.finite_values()) == ["sgd", "adam"]
    assert twice.finite_weights() == [2, 1]
    assert list(twice.grid_values() or ()) == ["sgd", "adam"]


def test_values_without_duplicates_weigh_alike() -> None:
    assert Categorical((3, 1, 2)).finite_weights() is None
    assert IntUniform(0, 9).finite_weights() is None


def test_values_stay_in_the_order_of_the_list() -> None:
    assert list(Categorical((3, 1, 2)).finite_values()) == [3, 1, 2]


def test_a_value_of_probability_0_is_never_drawn() -> None:
    weighted = WeightedCategorical(("a", "b", "c"), (0.5, 0.0, 0.5))
    assert list(weighted.finite_values()) == ["a", "c"]
    assert not weighted.contains("b")


def test_the_quantile_of_probabilities_is_the_inverse_of_their_sums() -> None:
    probabilities = (0.1, 0.2, 0.7)
    weighted = WeightedCategorical(("a", "b", "c"), probabilities)
    for value, end, probability in zip("abc", accumulate(probabilities), probabilities, strict=True):
        assert weighted.quantile(end - probability / 2) == value


def test_equal_probabilities_of_a_value_listed_twice_add_up() -> None:
    assert WeightedCategorical(("a", "b", "a"), (0.25, 0.5, 0.25)).finite_weights() == [0.5, 0.5]


def test_integers_include_both_ends() -> None:
    dice = IntUniform(1, 6)
    assert (dice.quantile(2.0**-54), dice.quantile(1 - 2.0**-53)) == (1, 6)
    assert dice.grid_values() == range(1, 7)


def test_a_billion_integers_cost_nothing_to_hold() -> None:
    assert IntUniform(0, 10**9).finite_values()[10**9] == 10**9


def test_integers_contain_whole_floats_and_nothing_between() -> None:
    dice = IntUniform(1, 6)
    assert dice.contains(6.0)
    assert not any(dice.contains(value) for value in (0, 7, 2.5, True, "3", float("nan")))


def test_a_constant_is_its_value_up_to_identity() -> None:
    assert Constant(1).contains(1.0)
    assert not Constant(1).contains(True)
    assert Constant(None).quantile(0.5) is None


def test_probabilities_have_no_grid() -> None:
    assert WeightedCategorical(("a", "b"), (0.5, 0.5)).grid_values() is None


@pytest.mark.parametrize(
    ("distribution", "text"),
    [
        (Constant("adam"), '"adam"'),
        (Categorical((32, 64, True, "1")), '32, 64, true, "1"'),
        (WeightedCategorical(("a", 2), (0.25, 0.75)), '"a" (0.25), 2 (0.75)'),
        (IntUniform(1, 6), "1 … 6"),
    ],
    ids=str,
)
def test_bounds_are_told_as_json(distribution: Categorical, text: str) -> None:
    assert distribution.bounds_text() == text


def test_a_long_list_is_cut_and_counted() -> None:
    assert Categorical(tuple(range(1000))).bounds_text().endswith("16, 17, … (1000 values)")
    assert len(Categorical(("x" * 500, "y")).bounds_text()) < 90
