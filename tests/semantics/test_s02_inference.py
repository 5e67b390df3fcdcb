"""Section 2.1: which distribution a parameter has, and what is checked at creation."""

from __future__ import annotations

from typing import Any

import pytest

from besom.errors import SweepConfigError
from besom.space import KINDS, Distribution
from besom.sweep_config import read_sweep_config


def config(parameter: Any, method: str = "random") -> dict[str, Any]:
    return {"method": method, "parameters": {"x": parameter}}


def read(parameter: Any) -> Distribution:
    return read_sweep_config(config(parameter)).space.parameters[0].distribution


def notes(parameter: Any) -> list[str]:
    return [note.sentence for note in read_sweep_config(config(parameter)).notes]


def problem(parameter: Any, method: str = "random") -> str:
    """``key: sentence`` of the one problem."""
    with pytest.raises(SweepConfigError) as caught:
        read_sweep_config(config(parameter, method))
    return str(caught.value)


@pytest.mark.parametrize("value", [1, 0.5, "a", None, True, [1, 2], {"a": 1}, []])
def test_s02_value_is_a_constant_whatever_it_is(value: Any) -> None:
    assert (read({"value": value}).kind, read({"value": value}).quantile(0.5)) == ("constant", value)


def test_s02_values_are_categorical() -> None:
    assert read({"values": [1, "a", None, [2], {"b": 3}]}).kind == "categorical"


def test_s02_values_must_not_be_empty() -> None:
    assert "at least one item" in problem({"values": []})


def test_s02_values_with_probabilities_are_categorical_w_probabilities() -> None:
    assert read({"values": [1, 2], "probabilities": [0.3, 0.7]}).kind == "categorical_w_probabilities"


def test_s02_the_name_categorical_takes_no_probabilities() -> None:
    assert problem({"distribution": "categorical", "values": [1, 2], "probabilities": [0.3, 0.7]}) == (
        "parameters.x.probabilities: categorical has no `probabilities`: it takes `values`; "
        "for these keys write `distribution: categorical_w_probabilities`"
    )


def test_s02_two_whole_bounds_are_int_uniform() -> None:
    assert read({"min": 1, "max": 5}).kind == "int_uniform"


def test_s02_two_float_bounds_are_uniform() -> None:
    assert read({"min": 0.0, "max": 1.0}).kind == "uniform"


@pytest.mark.parametrize(("low", "high"), [(0, 0.5), (0.5, 3)])
def test_s02_mixed_bounds_are_uniform(low: float, high: float) -> None:
    assert read({"min": low, "max": high}).kind == "uniform"


def test_s02_mixed_bounds_that_could_both_be_whole_get_a_note() -> None:
    assert notes({"min": 1, "max": 100.0}) == [
        "read as `uniform`, as one bound has a point: write both without one for whole numbers"
    ]


def test_s02_mixed_bounds_in_nested_parameters_are_uniform_too() -> None:
    nested = {"parameters": {"y": {"min": 0, "max": 0.5}}}
    assert read_sweep_config(config(nested)).space.parameters[0].distribution.kind == "uniform"


def test_s02_boolean_bounds_are_an_error() -> None:
    assert problem({"min": False, "max": 3}) == "parameters.x.min: `min` must be a number, not false"


def test_s02_parameters_are_a_nested_group() -> None:
    space = read_sweep_config(config({"parameters": {"y": {"value": 1}}})).space
    assert [parameter.path for parameter in space.parameters] == [("x", "y")]


@pytest.mark.parametrize("key", ["mu", "sigma", "q", "a", "b"])
def test_s02_options_that_need_a_name_ask_for_one(key: str) -> None:
    assert f"parameters.x: `{key}` needs a `distribution`, such as `" in problem({key: 1})


def test_s02_q_beside_min_and_max_asks_for_q_uniform() -> None:
    assert "such as `q_uniform`" in problem({"min": 0, "max": 8, "q": 2})


def test_s02_one_bound_alone_is_an_error() -> None:
    assert problem({"min": 1}) == "parameters.x: `max` is missing beside `min`"


def test_s02_probabilities_alone_are_an_error() -> None:
    assert problem({"probabilities": [1.0]}) == "parameters.x: `probabilities` need `values` to belong to"


def test_s02_value_and_values_exclude_each_other() -> None:
    assert "exclude each other" in problem({"value": 1, "values": [1]})


def test_s02_nothing_at_all_is_an_error() -> None:
    assert "nothing is said about it" in problem({})


OPTIONS: dict[str, dict[str, Any]] = {
    "constant": {"value": 1},
    "categorical": {"values": [1]},
    "categorical_w_probabilities": {"values": [1], "probabilities": [1]},
    "int_uniform": {"min": 1, "max": 2},
    "log_uniform": {"min": -3, "max": -1},
    "q_log_uniform": {"min": 1, "max": 3},
    "inv_log_uniform": {"min": 1, "max": 3},
} | {kind: {} for kind in ("normal", "q_normal", "log_normal", "q_log_normal", "beta", "q_beta")}


@pytest.mark.parametrize("kind", KINDS)
def test_s02_every_kind_can_be_named(kind: str) -> None:
    options = OPTIONS.get(kind, {"min": 1.0, "max": 8.0})
    assert read({"distribution": kind} | options).kind == kind


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("lognormal", "log_normal"),
        ("loguniform", "log_uniform_values"),
        ("unifrom", "uniform"),
        ("choice", "categorical"),
    ],
)
def test_s02_an_unknown_kind_is_an_error_with_the_nearest_name(slip: str, meant: str) -> None:
    assert problem({"distribution": slip, "min": 1, "max": 2}) == (
        f'parameters.x.distribution: there is no distribution "{slip}": did you mean `{meant}`?'
    )


@pytest.mark.parametrize(("bare", "kind"), [(0.1, "constant"), ("adam", "constant"), ([0.1, 0.2], "categorical")])
def test_s02_a_bare_scalar_or_list_is_accepted_with_a_note(bare: Any, kind: str) -> None:
    assert (read(bare).kind, len(notes(bare))) == (kind, 1)


@pytest.mark.parametrize("bare", [None, []])
def test_s02_a_bare_nothing_is_an_error(bare: Any) -> None:
    assert "`x` is empty: write `value: …`" in problem(bare)


def test_s02_int_uniform_takes_whole_floats_as_ints() -> None:
    assert read({"distribution": "int_uniform", "min": 1.0, "max": 1e3}).quantile(0.9999) == 1000


def test_s02_int_uniform_with_a_fraction_is_an_error() -> None:
    assert "`min` must be a whole number, not 0.5" in problem({"distribution": "int_uniform", "min": 0.5, "max": 3})


@pytest.mark.parametrize("low", [3, 4])
def test_s02_min_must_be_below_max(low: int) -> None:
    assert problem({"min": low, "max": 3}).startswith("parameters.x.max: `min`")


def test_s02_min_must_be_below_max_in_nested_parameters_at_creation_too() -> None:
    assert problem({"parameters": {"y": {"min": 2, "max": 1}}}) == (
        "parameters.x.parameters.y.max: `min` 2 must be below `max` 1"
    )


@pytest.mark.parametrize("probabilities", [[1.0], [0.5, 0.4], [1.5, -0.5], [0.5, "x"]])
def test_s02_probabilities_are_one_for_each_value_not_negative_and_add_up_to_1(probabilities: list[Any]) -> None:
    found = problem({"values": [1, 2], "probabilities": probabilities})
    assert found.startswith("parameters.x.probabilities: ")


def test_s02_sigma_must_not_be_negative() -> None:
    assert "`sigma` must be 0 or larger" in problem({"distribution": "normal", "sigma": -1})


@pytest.mark.parametrize("q", [0, -1])
def test_s02_q_must_be_above_0(q: int) -> None:
    assert "`q` must be above 0" in problem({"distribution": "q_uniform", "min": 0, "max": 8, "q": q})


@pytest.mark.parametrize("kind", ["log_uniform_values", "q_log_uniform_values", "inv_log_uniform_values"])
def test_s02_log_limits_must_be_above_0(kind: str) -> None:
    assert "`min` must be above 0" in problem({"distribution": kind, "min": 0, "max": 1})


@pytest.mark.parametrize("key", ["a", "b"])
def test_s02_shapes_of_beta_must_not_be_negative(key: str) -> None:
    assert f"`{key}` must be 0 or larger" in problem({"distribution": "beta", key: -1})


@pytest.mark.parametrize("kind", ["log_uniform", "inv_log_uniform", "q_log_uniform"])
def test_s02_deprecated_kinds_run_with_a_note_that_names_the_new_one(kind: str) -> None:
    found = notes({"distribution": kind, "min": -3, "max": 3})
    assert len(found) == 1
    assert f"`distribution: {kind}_values, min: " in found[0]


@pytest.mark.parametrize("kind", ["log_uniform", "inv_log_uniform", "q_log_uniform"])
@pytest.mark.parametrize(("low", "high"), [(0.0001, 0.1), (0.1, 1), (1, 100)])
def test_s02_exponents_that_look_like_limits_are_an_error(kind: str, low: float, high: float) -> None:
    found = problem({"distribution": kind, "min": low, "max": high})
    assert f"for limits write `distribution: {kind}_values`" in found


def test_s02_exponents_that_look_like_limits_show_what_they_would_mean() -> None:
    assert "mean values 1.0001 … 1.1052" in problem({"distribution": "log_uniform", "min": 0.0001, "max": 0.1})


def test_s02_numbers_in_quotes_are_told_to_lose_them() -> None:
    assert (
        problem({"min": "1e-4", "max": 1.0})
        == "parameters.x.min: `min` must be a number, not '1e-4': write it without quotes"
    )


def test_s02_unknown_keys_of_a_parameter_are_an_error_with_a_hint() -> None:
    assert problem({"valeus": [1, 2]}) == "parameters.x.valeus: unknown key `valeus`: did you mean `values`?"


def test_s02_kinds_without_an_end_of_values_are_an_error_on_a_grid() -> None:
    found = problem({"min": 0.0, "max": 1.0}, "grid")
    assert "`uniform` has no end of values for a grid: list them (`values: […]`)" in found


def test_s02_probabilities_are_an_error_on_a_grid() -> None:
    found = problem({"values": [1, 2], "probabilities": [0.5, 0.5]}, "grid")
    assert "leave `probabilities` out" in found
