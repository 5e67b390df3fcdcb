from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from besom.space.continuous import Beta, Continuous, LogNormal, LogUniform, Normal, Uniform

inner = st.floats(1e-4, 1 - 1e-4)
EXAMPLES: list[Continuous] = [
    Uniform(-3, 8.5),
    Uniform(1e-8, 2e-8),
    LogUniform.from_exponents(-9, 2),
    LogUniform.from_values(1e-5, 0.1),
    LogUniform.from_inverse_exponents(-2, 9),
    LogUniform.from_inverse_values(1e-5, 0.1),
    Normal(0, 1),
    Normal(-40, 1e-3),
    LogNormal(0, 1),
    LogNormal(-3, 0.25),
    Beta(1, 1),
    Beta(2, 5),
    Beta(0.5, 0.5),
]


@pytest.mark.parametrize("distribution", EXAMPLES, ids=str)
@given(u=inner)
@settings(deadline=None, max_examples=50)
def test_cdf_undoes_quantile(distribution: Continuous, u: float) -> None:
    assert distribution.cdf(distribution.quantile(u)) == pytest.approx(u, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("distribution", EXAMPLES, ids=str)
@given(u=inner)
@settings(deadline=None, max_examples=50)
def test_quantile_undoes_cdf(distribution: Continuous, u: float) -> None:
    x = distribution.quantile(u)
    assert distribution.quantile(distribution.cdf(x)) == pytest.approx(x, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("distribution", EXAMPLES, ids=str)
@given(u=st.floats(2.0**-54, 1 - 2.0**-53), other=st.floats(2.0**-54, 1 - 2.0**-53))
@settings(deadline=None, max_examples=50)
def test_quantile_rises_within_the_range(distribution: Continuous, u: float, other: float) -> None:
    low, high = sorted((u, other))
    assert distribution.low <= distribution.quantile(low) <= distribution.quantile(high) <= distribution.high
    assert distribution.contains(distribution.quantile(u))


@given(
    ends=st.tuples(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300)).filter(lambda pair: pair[0] < pair[1]),
    u=st.floats(2.0**-54, 1 - 2.0**-53),
)
@settings(deadline=None)
def test_uniform_stays_finite_and_in_the_widest_ranges(ends: tuple[float, float], u: float) -> None:
    assert ends[0] <= Uniform(*ends).quantile(u) <= ends[1]


@pytest.mark.parametrize("distribution", EXAMPLES, ids=str)
def test_cdf_is_0_below_and_1_above_the_range(distribution: Continuous) -> None:
    below = -1e299 if distribution.low == -math.inf else distribution.low - 1
    above = 1e299 if distribution.high == math.inf else distribution.high + 1
    assert (distribution.cdf(below), distribution.cdf(above)) == (0.0, 1.0)


@pytest.mark.parametrize("distribution", EXAMPLES, ids=str)
@pytest.mark.parametrize("value", [True, "1", None, math.nan, math.inf, [0.5]])
def test_what_is_no_finite_number_is_in_no_range(distribution: Continuous, value: Any) -> None:
    assert not distribution.contains(value)


def test_the_ends_belong_to_the_range_and_nothing_beyond() -> None:
    space = LogUniform.from_values(1e-5, 0.1)
    assert space.contains(1e-5)
    assert space.contains(0.1)
    assert not space.contains(0.1000001)
    assert not space.contains(0)


@pytest.mark.parametrize("distribution", EXAMPLES, ids=str)
def test_there_are_neither_grid_points_nor_finite_values(distribution: Continuous) -> None:
    assert distribution.grid_values() is None
    assert distribution.finite_values() is None
    assert distribution.finite_weights() is None
    with pytest.raises(TypeError, match="no end of values"):
        distribution.finite_index(0.5)


def test_normal_quantiles_are_those_of_the_tables() -> None:
    assert Normal(10, 2).quantile(0.975) == pytest.approx(10 + 2 * 1.959963984540054)
    assert Normal(10, 2).quantile(0.5) == 10


def test_a_sigma_of_0_is_one_value() -> None:
    still = Normal(3, 0)
    assert (still.quantile(0.01), still.quantile(0.99)) == (3.0, 3.0)
    assert (still.cdf(2.99), still.cdf(3)) == (0.0, 1.0)


def test_a_huge_log_normal_stays_finite() -> None:
    assert math.isfinite(LogNormal(1e5, 10).quantile(0.9))


def test_beta_quantile_solves_its_own_polynomial() -> None:
    # The cdf of Beta(2, 3) is 6x² - 8x³ + 3x⁴.
    x = Beta(2, 3).quantile(0.3)
    assert 6 * x**2 - 8 * x**3 + 3 * x**4 == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("a", "b", "at_quarter", "at_three_quarters"), [(0, 2, 0.0, 0.0), (2, 0, 1.0, 1.0), (0, 0, 0.0, 1.0)]
)
def test_a_beta_shape_of_0_lies_on_its_end(a: float, b: float, at_quarter: float, at_three_quarters: float) -> None:
    assert (Beta(a, b).quantile(0.25), Beta(a, b).quantile(0.75)) == (at_quarter, at_three_quarters)
    assert Beta(a, b).cdf(1) == 1.0
    assert Beta(a, b).cdf(0.5) == {0.0: 1.0, 1.0: 0.0}.get(at_three_quarters if a != b else 2.0, 0.5)


@pytest.mark.parametrize(
    ("distribution", "text"),
    [
        (Uniform(0, 4294967295), "0 … 4294967295"),
        (LogUniform.from_values(1e-5, 0.1), "1e-05 … 0.1"),
        (LogUniform.from_exponents(-5, -2.302585092994046), "0.00673795 … 0.1"),
        (Normal(0.5, 2), "mu 0.5, sigma 2"),
        (LogNormal(0, 1), "exp of mu 0, sigma 1"),
        (Beta(2, 3), "0 … 1, a 2, b 3"),
    ],
    ids=str,
)
def test_bounds_are_told_as_values(distribution: Continuous, text: str) -> None:
    assert distribution.bounds_text() == text


def test_the_logarithmic_kinds_say_so() -> None:
    assert {each.scale for each in EXAMPLES if isinstance(each, (LogUniform, LogNormal))} == {"log"}
    assert {each.scale for each in EXAMPLES if not isinstance(each, (LogUniform, LogNormal))} == {"linear"}


@pytest.mark.parametrize("distribution", [Uniform(0, 1), LogUniform.from_values(1, 2), Normal(0, 1), LogNormal(0, 1)])
def test_numbers_that_no_float_holds_are_no_values(distribution: Continuous) -> None:
    assert not any(distribution.contains(number) for number in (10**400, -(10**400), math.inf, math.nan))
