"""Section 2.2: the law of every distribution."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from besom.search import make_searcher
from besom.space import KINDS, BadOption, Distribution, Parameter, SearchSpace, make_distribution

LEVELS = [(step + 0.5) / 400 for step in range(400)]
# Φ⁻¹ of 0.01, 0.25, 0.5, 0.9 from the tables.
NORMAL = {0.01: -2.3263478740408408, 0.25: -0.6744897501960817, 0.5: 0.0, 0.9: 1.2815515655446004}


def make(kind: str, **options: Any) -> Distribution:
    return make_distribution(kind, options)


def values_of(kind: str, **options: Any) -> list[Any]:
    """Quantiles at evenly spaced levels: a picture of the whole law."""
    return [make(kind, **options).quantile(u) for u in LEVELS]


def test_s02_2_there_are_eighteen_kinds_beside_nested() -> None:
    assert set(KINDS) == {
        "constant", "categorical", "categorical_w_probabilities", "int_uniform", "uniform", "q_uniform",
        "log_uniform", "log_uniform_values", "q_log_uniform", "q_log_uniform_values",
        "inv_log_uniform", "inv_log_uniform_values", "normal", "q_normal", "log_normal", "q_log_normal",
        "beta", "q_beta",
    }  # fmt: skip


@pytest.mark.parametrize("value", [3, "a", None, [1, 2], {"x": 1}, True])
def test_s02_2_constant_is_its_value(value: Any) -> None:
    assert make("constant", value=value).quantile(0.3) == value


def test_s02_2_categorical_is_even_over_the_list() -> None:
    drawn = values_of("categorical", values=["a", 1, None, [2]])
    assert [drawn.count(value) for value in ("a", 1, None, [2])] == [100] * 4


def test_s02_2_categorical_duplicates_raise_the_weight() -> None:
    drawn = values_of("categorical", values=["a", "b", "a", "a"])
    assert (drawn.count("a"), drawn.count("b")) == (300, 100)


def test_s02_2_categorical_w_probabilities_is_the_inverse_of_the_cumulated_probabilities() -> None:
    drawn = values_of("categorical_w_probabilities", values=["a", "b", "c"], probabilities=[0.1, 0.2, 0.7])
    assert drawn == ["a"] * 40 + ["b"] * 80 + ["c"] * 280


def test_s02_2_int_uniform_includes_both_ends() -> None:
    drawn = values_of("int_uniform", min=-1, max=2)
    assert [drawn.count(value) for value in (-1, 0, 1, 2)] == [100] * 4
    assert {type(value) for value in drawn} == {int}


@pytest.mark.parametrize("u", LEVELS[::50])
def test_s02_2_uniform_is_min_plus_u_times_the_range(u: float) -> None:
    assert make("uniform", min=-2, max=6).quantile(u) == pytest.approx(-2 + u * 8)


def test_s02_2_q_uniform_rounds_half_to_even() -> None:
    even = make("q_uniform", min=0, max=4, q=1)
    assert [even.quantile(u) for u in (0.125, 0.375, 0.625, 0.875)] == [0, 2, 2, 4]


@pytest.mark.parametrize("u", LEVELS[::50])
def test_s02_2_log_uniform_bounds_are_exponents(u: float) -> None:
    assert make("log_uniform", min=-7, max=2).quantile(u) == pytest.approx(math.exp(-7 + u * 9))


@pytest.mark.parametrize("u", LEVELS[::50])
def test_s02_2_log_uniform_values_bounds_are_values(u: float) -> None:
    expected = math.exp(math.log(1e-4) + u * (math.log(0.5) - math.log(1e-4)))
    assert make("log_uniform_values", min=1e-4, max=0.5).quantile(u) == pytest.approx(expected)


@pytest.mark.parametrize("u", LEVELS[::50])
def test_s02_2_q_log_uniform_is_log_uniform_in_steps(u: float) -> None:
    value = make("q_log_uniform", min=0, max=5, q=2).quantile(u)
    assert value == max(2, round(math.exp(u * 5) / 2) * 2)


@pytest.mark.parametrize("u", LEVELS[::50])
def test_s02_2_q_log_uniform_values_is_log_uniform_values_in_steps(u: float) -> None:
    value = make("q_log_uniform_values", min=1, max=100, q=0.5).quantile(u)
    assert value == round(math.exp(u * math.log(100)) / 0.5) * 0.5


def test_s02_2_inv_log_uniform_has_ln_of_1_over_x_even() -> None:
    inverse = make("inv_log_uniform", min=-2, max=7)
    for u in LEVELS[::50]:
        assert inverse.quantile(u) == pytest.approx(math.exp(-(-2 + (1 - u) * 9)))


def test_s02_2_inv_log_uniform_values_is_log_uniform_values() -> None:
    assert values_of("inv_log_uniform_values", min=1e-4, max=0.5) == pytest.approx(
        values_of("log_uniform_values", min=1e-4, max=0.5)
    )


@pytest.mark.parametrize("u", NORMAL)
def test_s02_2_normal_is_mu_plus_sigma_times_z(u: float) -> None:
    assert make("normal", mu=3, sigma=2).quantile(u) == pytest.approx(3 + 2 * NORMAL[u])


@pytest.mark.parametrize("u", NORMAL)
def test_s02_2_q_normal_is_normal_in_steps(u: float) -> None:
    assert make("q_normal", mu=3, sigma=20, q=5).quantile(u) == round((3 + 20 * NORMAL[u]) / 5) * 5


@pytest.mark.parametrize("u", NORMAL)
def test_s02_2_log_normal_is_exp_of_a_normal(u: float) -> None:
    assert make("log_normal", mu=-1, sigma=0.5).quantile(u) == pytest.approx(math.exp(-1 + 0.5 * NORMAL[u]))


@pytest.mark.parametrize("u", NORMAL)
def test_s02_2_q_log_normal_is_log_normal_in_steps(u: float) -> None:
    assert make("q_log_normal", mu=3, sigma=1, q=4).quantile(u) == round(math.exp(3 + NORMAL[u]) / 4) * 4


@pytest.mark.parametrize("u", LEVELS[::50])
def test_s02_2_beta_is_the_quantile_of_its_law(u: float) -> None:
    # Beta(a, 1) has the cdf x^a, and Beta(2, 2) the cdf 3x² - 2x³.
    assert make("beta", a=3, b=1).quantile(u) == pytest.approx(u ** (1 / 3))
    x = make("beta", a=2, b=2).quantile(u)
    assert 3 * x**2 - 2 * x**3 == pytest.approx(u)


@pytest.mark.parametrize("u", LEVELS[::50])
def test_s02_2_q_beta_is_beta_in_steps(u: float) -> None:
    assert make("q_beta", a=3, b=1, q=0.25).quantile(u) == round(u ** (1 / 3) * 4) / 4


@pytest.mark.parametrize(
    ("kind", "explicit"),
    [
        ("normal", {"mu": 0, "sigma": 1}),
        ("log_normal", {"mu": 0, "sigma": 1}),
        ("beta", {"a": 1, "b": 1}),
        ("q_normal", {"mu": 0, "sigma": 1, "q": 1.0}),
        ("q_log_normal", {"mu": 0, "sigma": 1, "q": 1.0}),
        ("q_beta", {"a": 1, "b": 1, "q": 1.0}),
    ],
)
def test_s02_2_defaults(kind: str, explicit: dict[str, Any]) -> None:
    assert values_of(kind) == values_of(kind, **explicit)


def test_s02_2_the_default_q_is_a_float() -> None:
    assert {type(value) for value in values_of("q_uniform", min=0, max=9)} == {float}


def test_s02_2_q_beta_with_the_default_q_is_0_or_1() -> None:
    assert set(values_of("q_beta")) == {0.0, 1.0}


def test_s02_2_names_have_an_underscore() -> None:
    with pytest.raises(ValueError, match="did you mean 'log_normal'"):
        make("lognormal")


def test_s02_2_decide_a_seed_makes_draws_reproducible() -> None:
    def drawn(seed: int) -> list[Any]:
        space = SearchSpace([Parameter(("lr",), make("log_normal")), Parameter(("dropout",), make("beta", a=2))])
        searcher = make_searcher("random", space, seed=seed)
        return [searcher.ask(number, []) for number in range(20)]

    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("int_uniform", {"min": 0, "max": 9}),
        ("uniform", {"min": 0, "max": 9}),
        ("q_uniform", {"min": 0, "max": 9, "q": 3}),
        ("q_uniform", {"min": 0, "max": 9, "q": 0.3}),
        ("q_log_uniform_values", {"min": 1, "max": 9, "q": 2}),
        ("log_uniform_values", {"min": 1, "max": 9}),
        ("normal", {}),
        ("q_normal", {"q": 2}),
        ("log_normal", {}),
        ("q_log_normal", {"q": 2}),
        ("beta", {"a": 2, "b": 3}),
        ("q_beta", {"a": 2, "b": 3, "q": 0.25}),
        ("categorical", {"values": ["a", 1, 2.5, None, True]}),
    ],
)
def test_s02_2_decide_values_are_plain_python(kind: str, options: dict[str, Any]) -> None:
    for value in values_of(kind, **options):
        assert type(value) in (int, float, str, bool, type(None))
        assert not isinstance(value, np.generic)
        assert json.loads(json.dumps(value)) == value


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("q_")])
def test_s02_2_decide_an_int_q_gives_ints_and_a_float_q_floats(kind: str) -> None:
    bounds = {"min": 1, "max": 9} if KINDS[kind].option("min") else {}
    assert {type(value) for value in values_of(kind, **bounds, q=1)} == {int}
    assert {type(value) for value in values_of(kind, **bounds, q=1.0)} == {float}


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("q_uniform", {"min": 0, "max": 8, "q": 3}, {0, 3, 6}),
        ("q_uniform", {"min": 1, "max": 9, "q": 4}, {4, 8}),
        ("q_log_uniform_values", {"min": 1e-4, "max": 1, "q": 0.1}, {step / 10 for step in range(1, 11)}),
        ("q_log_uniform", {"min": -3, "max": 0, "q": 0.25}, {0.25, 0.5, 0.75, 1.0}),
    ],
)
def test_s02_2_decide_quantized_values_stay_between_min_and_max(
    kind: str, options: dict[str, Any], expected: set[float]
) -> None:
    assert set(values_of(kind, **options)) == expected


def test_s02_2_decide_a_range_without_a_multiple_of_q_is_refused() -> None:
    with pytest.raises(BadOption, match="make `q` smaller"):
        make("q_uniform", min=0.2, max=0.4, q=1)


@pytest.mark.parametrize(("q", "decimals"), [(0.1, 1), (0.05, 2), (1e-3, 3), (0.7, 1)])
def test_s02_2_decide_quantized_floats_have_no_more_decimals_than_q(q: float, decimals: int) -> None:
    for value in values_of("q_uniform", min=0, max=10, q=q):
        assert float(f"{value:.{decimals}f}") == value


def test_s02_2_log_uniform_bounds_that_look_like_limits_are_refused() -> None:
    with pytest.raises(BadOption, match=r"mean values 1\.0001 … 1\.1052: .* `distribution: log_uniform_values`"):
        make("log_uniform", min=0.0001, max=0.1)
