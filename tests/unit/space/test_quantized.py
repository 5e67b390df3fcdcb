from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from besom.space.continuous import Beta, LogNormal, LogUniform, Normal, Uniform
from besom.space.quantized import Quantized

BOUNDED = [
    Quantized("q_uniform", Uniform(0, 1), 0.1),
    Quantized("q_uniform", Uniform(0, 8), 3),
    Quantized("q_uniform", Uniform(1, 9), 4),
    Quantized("q_uniform", Uniform(-0.35, 0.35), 0.05),
    Quantized("q_log_uniform", LogUniform.from_exponents(-2.302585092994046, 0), 0.1),
    Quantized("q_log_uniform_values", LogUniform.from_values(1e-4, 1), 0.1),
    Quantized("q_beta", Beta(2, 3), 0.25),
    Quantized("q_beta", Beta(1, 1), 1.0),
]
UNBOUNDED = [Quantized("q_normal", Normal(0.3, 2), 0.5), Quantized("q_log_normal", LogNormal(0, 1), 2)]


@pytest.mark.parametrize("distribution", BOUNDED, ids=str)
@given(u=st.floats(2.0**-54, 1 - 2.0**-53))
@settings(deadline=None, max_examples=50)
def test_a_quantile_is_the_finite_value_at_its_index(distribution: Quantized, u: float) -> None:
    values = distribution.finite_values()
    assert values is not None
    assert distribution.quantile(u) == values[distribution.finite_index(u)]


@pytest.mark.parametrize("distribution", BOUNDED + UNBOUNDED, ids=str)
@given(u=st.floats(2.0**-54, 1 - 2.0**-53))
@settings(deadline=None, max_examples=50)
def test_a_quantile_is_a_multiple_of_q_in_the_range(distribution: Quantized, u: float) -> None:
    value = distribution.quantile(u)
    assert (Fraction(repr(value)) / Fraction(repr(distribution.q))).denominator == 1
    assert distribution.base.low <= value <= distribution.base.high
    assert type(value) is type(distribution.q)
    assert distribution.contains(value)


@pytest.mark.parametrize("distribution", BOUNDED, ids=str)
def test_each_value_is_drawn_as_often_as_its_weight_says(distribution: Quantized) -> None:
    weights = distribution.finite_weights()
    assert weights is not None
    assert math.fsum(weights) == pytest.approx(1)
    steps = 2_000
    drawn = [distribution.finite_index((step + 0.5) / steps) for step in range(steps)]
    for index, weight in enumerate(weights):
        assert drawn.count(index) / steps == pytest.approx(weight, abs=2e-3)


@pytest.mark.parametrize("distribution", BOUNDED, ids=str)
def test_the_middle_of_the_probability_of_a_value_leads_back_to_it(distribution: Quantized) -> None:
    below = 0.0
    for value, weight in zip(distribution.finite_values() or (), distribution.finite_weights() or (), strict=True):
        assert distribution.quantile(below + weight / 2) == value
        below += weight


def test_three_steps_of_a_tenth_are_three_tenths() -> None:
    assert list(Quantized("q_uniform", Uniform(0, 1), 0.1).finite_values() or ()) == [
        0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0,
    ]  # fmt: skip


def test_an_end_that_is_a_multiple_of_q_in_decimals_belongs_to_the_range() -> None:
    # In binary, 0.3 / 0.1 is a bit less than 3.
    assert list(Quantized("q_uniform", Uniform(0.1, 0.3), 0.1).finite_values() or ()) == [0.1, 0.2, 0.3]


def test_an_exponent_end_that_is_a_multiple_of_q_belongs_to_the_range() -> None:
    values = Quantized("q_log_uniform", LogUniform.from_exponents(math.log(0.1), 0), 0.1).finite_values()
    assert values is not None
    assert (values[0], values[-1]) == (0.1, 1.0)


def test_halves_go_to_the_even_neighbour() -> None:
    even = Quantized("q_uniform", Uniform(0, 4), 1)
    assert (even.quantile(0.125), even.quantile(0.375), even.quantile(0.625)) == (0, 2, 2)


def test_grid_values_start_at_min_and_include_max() -> None:
    grid = Quantized("q_uniform", Uniform(1, 9), 4).grid_values()
    assert list(grid or ()) == [1, 5, 9]


def test_grid_values_stop_below_a_max_that_is_not_on_the_grid() -> None:
    assert list(Quantized("q_uniform", Uniform(0, 8), 3).grid_values() or ()) == [0, 3, 6]


def test_grid_values_are_ints_only_when_min_and_q_are_whole() -> None:
    def types(low: float, q: float) -> set[type]:
        return {type(value) for value in Quantized("q_uniform", Uniform(low, 9), q).grid_values() or ()}

    assert (types(1, 2), types(1.0, 2), types(0.5, 2), types(1, 2.0)) == ({int}, {int}, {float}, {float})


def test_a_point_of_the_grid_and_a_multiple_of_q_are_both_contained() -> None:
    odd = Quantized("q_uniform", Uniform(1, 9), 4)
    assert [value for value in range(12) if odd.contains(value)] == [1, 4, 5, 8, 9]


def test_a_sum_of_binary_tenths_is_contained() -> None:
    assert Quantized("q_uniform", Uniform(0, 1), 0.1).contains(0.1 + 0.2)


@pytest.mark.parametrize("value", [True, "0.1", None, math.nan, math.inf, 1.1, -0.1, 0.15])
def test_other_values_are_not_contained(value: object) -> None:
    assert not Quantized("q_uniform", Uniform(0, 1), 0.1).contains(value)


@pytest.mark.parametrize("distribution", UNBOUNDED, ids=str)
def test_without_an_end_there_are_no_finite_values(distribution: Quantized) -> None:
    assert distribution.finite_values() is None
    assert distribution.finite_weights() is None


def test_only_q_uniform_has_grid_values() -> None:
    assert [each.kind for each in BOUNDED + UNBOUNDED if each.grid_values() is not None] == ["q_uniform"] * 4


def test_a_value_without_ends_has_no_index() -> None:
    with pytest.raises(TypeError, match="no end of values"):
        Quantized("q_normal", Normal(0, 1), 1).finite_index(0.5)


def test_a_log_normal_ends_below_only() -> None:
    with pytest.raises(TypeError, match="no end of values"):
        Quantized("q_log_normal", LogNormal(0, 1), 1).finite_index(0.5)


def test_a_billion_values_cost_nothing_to_hold() -> None:
    fine = Quantized("q_uniform", Uniform(0, 1), 1e-9)
    values, weights = fine.finite_values(), fine.finite_weights()
    assert values is not None
    assert weights is not None
    assert len(values) == len(weights) == 10**9 + 1
    assert values[123_456_789] == 0.123456789
    assert weights[123_456_789] == pytest.approx(1e-9)


def test_the_scale_is_that_of_what_is_rounded() -> None:
    assert {each.kind: each.scale for each in BOUNDED + UNBOUNDED} == {
        "q_uniform": "linear",
        "q_log_uniform": "log",
        "q_log_uniform_values": "log",
        "q_beta": "linear",
        "q_normal": "linear",
        "q_log_normal": "log",
    }


def test_bounds_tell_the_step() -> None:
    assert BOUNDED[0].bounds_text() == "0 … 1, step 0.1"
    assert UNBOUNDED[0].bounds_text() == "mu 0.3, sigma 2, step 0.5"


@pytest.mark.parametrize(
    ("q", "value", "start", "steps"),
    [(0.1, 0.3, 0, 3), (0.1, 0.35, 1, 2.5), (5, -10, 0, -2), (1, 2**60 + 1, 2**60, 1), (0.001, 4.297, 0, 4297)],
)
def test_a_position_is_counted_in_exact_steps(q: float, value: float, start: int, steps: float) -> None:
    assert Quantized("q_normal", Normal(0, 1), q).position(value, start) == steps
