"""Section 1: top-level keys and how a config is read."""

from __future__ import annotations

import json
from collections import UserDict
from typing import Any

import pytest

from besom.errors import SweepConfigError
from besom.sweep_config import SweepConfig, read_sweep_config

SMALLEST = "method: random\nparameters: {lr: {values: [0.1, 0.2]}}\n"


def read(text: str) -> SweepConfig:
    return read_sweep_config(text, file="sweep.yaml")


def problems(source: Any) -> dict[str, str]:
    """The sentence of each key that has a problem."""
    with pytest.raises(SweepConfigError) as caught:
        read_sweep_config(source)
    return {problem["key"]: problem["sentence"] for problem in caught.value.problems}


def notes(text: str) -> dict[str, str]:
    return {note.key: note.sentence for note in read(text).notes}


def test_s01_method_is_required() -> None:
    assert problems("parameters: {lr: {value: 1}}") == {"method": "`method` is missing: add `method: random`"}


@pytest.mark.parametrize("method", ["grid", "random"])
def test_s01_method_grid_and_random_are_accepted(method: str) -> None:
    assert read(SMALLEST.replace("random", method)).method == method


def test_s01_method_with_a_slip_is_an_error_with_the_nearest_name() -> None:
    assert problems(SMALLEST.replace("random", "rnadom"))["method"] == (
        '"rnadom" is unknown here: did you mean `random`?'
    )


def test_s01_parameters_are_required() -> None:
    assert "is missing" in problems("method: random")["parameters"]


def test_s01_parameters_without_an_entry_are_an_error() -> None:
    assert "no parameter is listed" in problems("method: random\nparameters: {}")["parameters"]


@pytest.mark.parametrize("name", ["lr", "_x", "a.b", "train-test", "L2", "a_1"])
def test_s01_parameter_names_are_letters_digits_dot_dash_underscore(name: str) -> None:
    assert read(f"method: random\nparameters: {{{name}: {{value: 1}}}}").space.parameters[0].name == name


@pytest.mark.parametrize("name", ["1x", "^lr", "a b", "-x", ".x", "é", "a/b"])
def test_s01_parameter_names_outside_the_pattern_are_an_error(name: str) -> None:
    assert (
        "cannot be a name" in problems(f"method: random\nparameters: {{'{name}': {{value: 1}}}}")[f"parameters.{name}"]
    )


@pytest.mark.parametrize("method", ["grid", "random"])
def test_s01_metric_is_not_needed_for_grid_and_random(method: str) -> None:
    assert read(SMALLEST.replace("random", method)).metric is None


def test_s01_metric_is_needed_for_bayes() -> None:
    with pytest.raises(SweepConfigError) as caught:
        read(SMALLEST.replace("random", "bayes"))
    assert "`bayes` needs a `metric`" in str(caught.value)


def test_s01_metric_is_needed_for_early_terminate() -> None:
    found = problems(SMALLEST + "early_terminate: {type: hyperband, min_iter: 3}")
    assert found == {
        "early_terminate": "`early_terminate` needs a `metric` to judge by: "
        "add `metric: {name: val_loss, goal: minimize}`"
    }


def test_s01_metrics_are_refused_by_name() -> None:
    found = problems(SMALLEST + "metrics: [{name: a}, {name: b}]")
    assert found == {"metrics": "`metrics` is not built yet: follow one `metric`"}


def test_s01_program_is_not_required() -> None:
    assert read(SMALLEST).program is None


def test_s01_command_is_left_to_the_default_when_absent() -> None:
    assert read(SMALLEST).command is None


def test_s01_command_as_text_is_an_error_that_shows_the_list() -> None:
    assert problems(SMALLEST + "command: python ${program} 'a b'")["command"] == (
        'a command is a list of words: write `command: ["python", "${program}", "a b"]`'
    )


def test_s01_command_items_that_are_no_text_are_kept_and_stringified() -> None:
    command = read(SMALLEST + "command: [python, 3, 0.5, true]").command
    assert command is not None
    assert [str(word) for word in command] == ["python", "3", "0.5", "True"]


def test_s01_command_numbers_keep_the_words_that_they_were_written_as() -> None:
    assert read(SMALLEST + "command: [python, --lr, 1e-3, 12e5]").command == ("python", "--lr", "1e-3", "12e5")


def test_s01_command_with_an_empty_item_is_accepted_with_a_note() -> None:
    assert "becomes the word `None`" in notes(SMALLEST + "command:\n- python\n-\n")["command[1]"]


def test_s01_name_description_project_and_entity_are_read() -> None:
    config = read(SMALLEST + "name: first\ndescription: what for\nproject: digits\nentity: ada\n")
    assert (config.name, config.description, config.project, config.entity) == ("first", "what for", "digits", "ada")


def test_s01_name_given_beside_the_file_overrides_it() -> None:
    assert read_sweep_config(SMALLEST + "name: first", overrides={"name": "second"}).name == "second"


def test_s01_name_that_is_a_number_is_told_to_be_quoted() -> None:
    assert problems(SMALLEST + "name: 2024")["name"] == '2024 is not text: put it in quotes, "2024"'


def test_s01_early_terminate_envelope_is_gone() -> None:
    text = SMALLEST + "metric: {name: loss}\nearly_terminate: {type: envelope}"
    assert "did you mean `hyperband`?" in problems(text)["early_terminate.type"]


def test_s01_run_cap_is_a_whole_number_above_0() -> None:
    assert read(SMALLEST + "run_cap: 12").run_cap == 12


@pytest.mark.parametrize("cap", ["0", "-1", "2.5", "many", "true"])
def test_s01_run_cap_of_anything_else_is_an_error(cap: str) -> None:
    assert "is not a whole number of at least 1" in problems(SMALLEST + f"run_cap: {cap}")["run_cap"]


def test_s01_controller_cloud_is_accepted_with_a_note() -> None:
    assert "is not used" in notes(SMALLEST + "controller: {type: cloud}")["controller"]


def test_s01_controller_local_is_refused() -> None:
    assert "`local` is not built yet" in problems(SMALLEST + "controller: {type: local}")["controller.type"]


def test_s01_controller_needs_a_type() -> None:
    assert "is missing" in problems(SMALLEST + "controller: {}")["controller.type"]


@pytest.mark.parametrize("key", ["apiVersion", "kind", "job", "image_uri", "scheduler", "settings"])
def test_s01_decorative_and_launch_keys_are_accepted_with_a_note(key: str) -> None:
    assert f"`{key}` is not used" in notes(SMALLEST + f"{key}: sweep")[key]


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("early_stopping: {}", "early_terminate"),
        ("count: 3", "run_cap"),
        ("metod: grid", "method"),
        ("programm: x", "program"),
    ],
)
def test_s01_unknown_keys_are_errors_with_a_hint(slip: str, meant: str) -> None:
    key = slip.partition(":")[0]
    assert problems(SMALLEST + slip)[key] == f"unknown key `{key}`: did you mean `{meant}`?"


def test_s01_keys_that_belong_elsewhere_are_sent_there() -> None:
    assert problems(SMALLEST + "goal: minimize")["goal"] == "`goal` is no key here: write it as `metric.goal`"


def test_s01_parameters_at_the_top_level_are_sent_below_parameters() -> None:
    assert "indent it below `parameters:`" in problems(SMALLEST + "dropout: {min: 0, max: 1}")["dropout"]


def test_s01_a_bad_goal_is_an_error_and_never_replaced() -> None:
    found = problems(SMALLEST + "metric: {name: acc, goal: maximise}")
    assert found == {"metric.goal": '"maximise" is unknown here: did you mean `maximize`?'}


def test_s01_all_problems_are_told_at_once_with_their_places() -> None:
    text = "method: grdi\nparameters:\n  lr: {min: 2, max: 1}\n  n:\n    distribution: lognormal\nrun_cap: 0\n"
    with pytest.raises(SweepConfigError) as caught:
        read(text)
    assert [(p["file"], p["line"], p["column"], p["key"]) for p in caught.value.problems] == [
        ("sweep.yaml", 1, 9, "method"),
        ("sweep.yaml", 3, 21, "parameters.lr.max"),
        ("sweep.yaml", 5, 19, "parameters.n.distribution"),
        ("sweep.yaml", 6, 10, "run_cap"),
    ]


def test_s01_yaml_json_and_a_dict_are_the_same_config() -> None:
    written = {"method": "grid", "parameters": {"a": {"values": [1, 2.5, None, True, "x"]}}, "run_cap": 3}
    text = json.dumps(written)
    assert read_sweep_config(written) == read_sweep_config(text, format="json") == read_sweep_config(text)


def test_s01_dict_like_objects_are_what_json_would_make_of_them() -> None:
    written = UserDict(method="grid", parameters=UserDict({"a": {"values": (1, 2)}, "b": {"value": UserDict({1: 2})}}))
    assert read_sweep_config(written).raw == {
        "method": "grid",
        "parameters": {"a": {"values": [1, 2]}, "b": {"value": {"1": 2}}},
    }


def test_s01_text_with_a_leading_zero_stays_text() -> None:
    config = read("method: grid\nparameters: {fold: {values: ['008', 009]}}")
    assert config.space.parameters[0].distribution.grid_values() == ("008", "009")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1e-3", 0.001),
        ("1e5", 100000.0),
        ("1e+3", 1000.0),
        ("-1e-2", -0.01),
        ("10_000", 10000),
        ("1.0", 1.0),
        ("0x10", 16),
    ],
)
def test_s01_yaml_numbers_without_a_dot_are_numbers(written: str, value: float) -> None:
    read_value = read(f"method: random\nparameters: {{x: {{value: {written}}}}}").raw["parameters"]["x"]["value"]
    assert (read_value, type(read_value)) == (value, type(value))


@pytest.mark.parametrize(("written", "value"), [("on", True), ("Yes", True), ("off", False), ("NO", False)])
def test_s01_yaml_on_off_yes_no_are_booleans(written: str, value: bool) -> None:
    assert read(f"method: random\nparameters: {{x: {{value: {written}}}}}").raw["parameters"]["x"]["value"] is value


@pytest.mark.parametrize("written", ["1:30", "2024-01-31", "y", "n", "1.2.3", "08", "=", "_1"])
def test_s01_yaml_times_dates_and_the_like_are_text(written: str) -> None:
    assert read(f"method: random\nparameters: {{x: {{value: {written}}}}}").raw["parameters"]["x"]["value"] == written


@pytest.mark.parametrize("written", ["'1e-3'", '"1e-3"', "'true'", '"10"', "!!str 1e-3"])
def test_s01_quoted_text_stays_text(written: str) -> None:
    value = read(f"method: random\nparameters: {{x: {{value: {written}}}}}").raw["parameters"]["x"]["value"]
    assert isinstance(value, str)


def test_s01_numbers_without_a_dot_are_good_bounds() -> None:
    config = read("method: random\nparameters: {lr: {distribution: log_uniform_values, min: 1e-4, max: 1e-2}}")
    assert config.space.parameters[0].distribution.bounds_text() == "0.0001 … 0.01"
