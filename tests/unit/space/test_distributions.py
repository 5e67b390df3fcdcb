from __future__ import annotations

from typing import Any

import pytest

from besom.space import KINDS, BadOption, check_options, make_distribution
from besom.space.options import REQUIRED

# One set of options that each kind accepts.
ACCEPTED: dict[str, dict[str, Any]] = {
    "constant": {"value": None},
    "categorical": {"values": [1, "a"]},
    "categorical_w_probabilities": {"values": [1, "a"], "probabilities": [0.5, 0.5]},
    "int_uniform": {"min": 1, "max": 3},
    "uniform": {"min": 1, "max": 3.5},
    "q_uniform": {"min": 1, "max": 3},
    "log_uniform": {"min": -5, "max": 0},
    "log_uniform_values": {"min": 1e-5, "max": 1},
    "q_log_uniform": {"min": 0, "max": 5},
    "q_log_uniform_values": {"min": 1, "max": 100},
    "inv_log_uniform": {"min": 0, "max": 5},
    "inv_log_uniform_values": {"min": 1e-5, "max": 1},
    "normal": {},
    "q_normal": {},
    "log_normal": {},
    "q_log_normal": {},
    "beta": {},
    "q_beta": {},
}


def test_every_kind_of_the_table_is_tried_here() -> None:
    assert list(ACCEPTED) == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_knows_its_own_name(kind: str) -> None:
    assert make_distribution(kind, ACCEPTED[kind]).kind == kind


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_without_its_required_options_names_each(kind: str) -> None:
    required = [option.name for option in KINDS[kind].options if option.required]
    assert [problem.option for problem in check_options(kind, {})] == required


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_option_is_named_with_those_that_exist(kind: str) -> None:
    (problem,) = check_options(kind, {**ACCEPTED[kind], "sigmoid": 1})
    assert problem.option == "sigmoid"
    assert str(problem).startswith(f"{kind} has no `sigmoid`: it takes `{KINDS[kind].options[0].name}`")


@pytest.mark.parametrize("kind", KINDS)
def test_what_check_accepts_can_be_made_and_bounds_be_told(kind: str) -> None:
    assert check_options(kind, ACCEPTED[kind]) == []
    assert make_distribution(kind, ACCEPTED[kind]).bounds_text()


def test_all_wrong_options_are_told_at_once() -> None:
    problems = check_options("q_uniform", {"min": "low", "q": None, "step": 1})
    assert [problem.option for problem in problems] == ["min", "max", "q", "step"]


def test_make_raises_the_first_problem() -> None:
    with pytest.raises(BadOption) as caught:
        make_distribution("uniform", {"min": "low"})
    assert caught.value.option == "min"


@pytest.mark.parametrize(
    ("kind", "options", "option", "sentence"),
    [
        ("uniform", {"min": 1, "max": 1}, "max", "`min` and `max` are both 1: for a fixed value write `value: 1`"),
        ("uniform", {"min": 2, "max": 1}, "max", "`min` 2 must be below `max` 1"),
        ("int_uniform", {"min": 5, "max": 5}, "max", "both 5"),
        ("int_uniform", {"min": 0.5, "max": 2}, "min", "`min` must be a whole number, not 0.5"),
        ("int_uniform", {"min": 0, "max": 2**63}, "max", "at most 2^62"),
        ("log_uniform_values", {"min": 0, "max": 1}, "min", "`min` must be above 0"),
        ("q_log_uniform_values", {"min": -1, "max": 1}, "min", "`min` must be above 0"),
        ("inv_log_uniform_values", {"min": 0, "max": 1}, "min", "`min` must be above 0"),
        ("log_uniform", {"min": -1e6, "max": 0}, "min", "-700 or larger"),
        ("normal", {"sigma": -1}, "sigma", "`sigma` must be 0 or larger, not -1"),
        ("log_normal", {"sigma": -1}, "sigma", "`sigma` must be 0 or larger"),
        ("beta", {"a": -1}, "a", "`a` must be 0 or larger"),
        ("q_beta", {"b": -1}, "b", "`b` must be 0 or larger"),
        ("q_uniform", {"min": 0, "max": 1, "q": 0}, "q", "`q` must be above 0, not 0"),
        ("q_uniform", {"min": 0.2, "max": 0.4, "q": 1}, "q", "no multiple of `q` 1 lies in 0.2 … 0.4"),
        ("q_uniform", {"min": 0, "max": 1, "q": 1e-30}, "q", "too small"),
        (
            "categorical_w_probabilities",
            {"values": [1, 2], "probabilities": [1.0]},
            "probabilities",
            "`probabilities` has 1 items and `values` has 2",
        ),
        (
            "categorical_w_probabilities",
            {"values": [1, 2], "probabilities": [0.5, 0.4]},
            "probabilities",
            "add up to 0.9",
        ),
        (
            "categorical_w_probabilities",
            {"values": [1, 2], "probabilities": [1.5, -0.5]},
            "probabilities",
            "not -0.5",
        ),
        (
            "categorical_w_probabilities",
            {"values": [1, 2], "probabilities": ["a", "b"]},
            "probabilities",
            "not 'a'",
        ),
    ],
)
def test_options_that_do_not_fit_together_are_refused(
    kind: str, options: dict[str, Any], option: str, sentence: str
) -> None:
    (problem,) = check_options(kind, options)
    assert problem.option == option
    assert sentence in str(problem)


@pytest.mark.parametrize(
    ("kind", "low", "high", "meant", "instead"),
    [
        ("log_uniform", 0.0001, 0.1, "1.0001 … 1.1052", "log_uniform_values"),
        ("log_uniform", 1, 64, "2.7183 … 6.2351e+27", "log_uniform_values"),
        ("log_uniform", 1, 1000, "2.7183 … e^1000", "log_uniform_values"),
        ("q_log_uniform", 0.5, 1, "1.6487 … 2.7183", "q_log_uniform_values"),
        ("inv_log_uniform", 0.1, 1, "0.36788 … 0.90484", "inv_log_uniform_values"),
    ],
)
def test_exponents_that_look_like_limits_are_refused(
    kind: str, low: float, high: float, meant: str, instead: str
) -> None:
    (problem,) = check_options(kind, {"min": low, "max": high})
    assert str(problem) == (
        f"`min` {low} and `max` {high} are exponents here and mean values {meant}: "
        f"for limits write `distribution: {instead}`"
    )


@pytest.mark.parametrize(("low", "high"), [(-9, -2), (0, 1), (0, 50), (1, 5), (-1, 1)])
def test_exponents_that_can_be_meant_are_taken(low: float, high: float) -> None:
    assert check_options("log_uniform", {"min": low, "max": high}) == []


def test_an_unknown_kind_is_told_the_nearest_name() -> None:
    with pytest.raises(ValueError) as caught:
        make_distribution("lognormal", {})
    assert str(caught.value) == "there is no distribution 'lognormal': did you mean 'log_normal'?"


def test_a_kind_like_none_is_told_them_all() -> None:
    with pytest.raises(ValueError) as caught:
        make_distribution("zzz", {})
    assert all(kind in str(caught.value) for kind in KINDS)


def test_a_deprecated_kind_names_an_existing_one() -> None:
    replaced = {kind.name: kind.replaced_by for kind in KINDS.values() if kind.replaced_by}
    assert replaced == {
        "log_uniform": "log_uniform_values",
        "q_log_uniform": "q_log_uniform_values",
        "inv_log_uniform": "inv_log_uniform_values",
    }
    assert set(replaced.values()) <= set(KINDS)


def test_defaults_are_those_of_the_table() -> None:
    defaults = {option.name: option.default for kind in KINDS.values() for option in kind.options}
    assert {name: value for name, value in defaults.items() if value is not REQUIRED} == {
        "mu": 0.0,
        "sigma": 1.0,
        "a": 1.0,
        "b": 1.0,
        "q": 1.0,
    }


@pytest.mark.parametrize("kind", KINDS)
def test_distributions_of_equal_options_are_equal(kind: str) -> None:
    assert make_distribution(kind, ACCEPTED[kind]) == make_distribution(kind, dict(ACCEPTED[kind]))
