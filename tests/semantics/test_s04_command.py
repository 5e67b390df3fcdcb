"""Section 4.1 and 4.2: macros of the command and how values are written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from besom.command import DEFAULT_COMMAND, expand
from besom.errors import SweepConfigError, UsageError
from besom.sweep_config import read_sweep_config


def argv(command: list[Any] | None, params: dict[str, Any] | None = None, **given: Any) -> list[str]:
    facts: dict[str, Any] = {"program": "train.py", "environ": {}, "json_file": None} | given
    return expand(command, params=params or {}, **facts)


def problem(*command: str) -> str:
    config = {"method": "random", "parameters": {"x": {"value": 1}}, "command": list(command)}
    with pytest.raises(SweepConfigError) as caught:
        read_sweep_config(config)
    return str(caught.value)


def test_s04_default_command_is_env_interpreter_program_args() -> None:
    assert DEFAULT_COMMAND == ("${env}", "${interpreter}", "${program}", "${args}")
    assert argv(None, {"lr": 0.1}) == ["/usr/bin/env", "python", "train.py", "--lr=0.1"]


def test_s04_env_is_usr_bin_env() -> None:
    assert argv(["${env}"]) == ["/usr/bin/env"]


def test_s04_env_is_nothing_on_windows() -> None:
    assert argv(["${env}", "x"], windows=True) == ["x"]


def test_s04_interpreter_is_python() -> None:
    assert argv(["${interpreter}"]) == ["python"]


def test_s04_program_is_the_sweeps_program() -> None:
    assert argv(["${program}"], program="src/a.py") == ["src/a.py"]


def test_s04_program_that_is_missing_is_an_error_when_the_run_starts() -> None:
    with pytest.raises(UsageError, match="names no `program`"):
        argv(["${program}"], program=None)


def test_s04_args_are_name_equals_value() -> None:
    assert argv(["${args}"], {"lr": 0.1, "n": 2}) == ["--lr=0.1", "--n=2"]


def test_s04_args_no_boolean_flags_writes_true_as_a_flag_and_leaves_false_out() -> None:
    assert argv(["${args_no_boolean_flags}"], {"a": True, "b": False, "c": 1, "d": 0}) == ["--a", "--c=1", "--d=0"]


def test_s04_args_no_hyphens() -> None:
    assert argv(["${args_no_hyphens}"], {"lr": 0.1}) == ["lr=0.1"]


def test_s04_args_no_equals_makes_two_items_each() -> None:
    assert argv(["${args_no_equals}"], {"lr": 0.1, "s": "a b"}) == ["--lr", "0.1", "--s", "a b"]


def test_s04_args_append_hydra() -> None:
    assert argv(["${args_append_hydra}"], {"lr": 0.1}) == ["+lr=0.1"]


def test_s04_args_override_hydra() -> None:
    assert argv(["${args_override_hydra}"], {"lr": 0.1}) == ["++lr=0.1"]


def test_s04_args_json_is_one_item() -> None:
    params = {"lr": 1e-05, "n": None, "l": [1, "a"], "d": {"x": 1}, "t": True}
    (word,) = argv(["${args_json}"], params)
    assert json.loads(word) == params


def test_s04_args_json_file_is_the_path_of_the_file() -> None:
    assert argv(["${args_json_file}"], json_file="/tmp/params.json") == ["/tmp/params.json"]


def test_s04_envvar_works_inside_a_longer_string_and_several_times() -> None:
    environ = {"HOST": "a", "PORT_1": "80"}
    assert argv(["http://${envvar:HOST}:${envvar:PORT_1}"], environ=environ) == ["http://a:80"]


def test_s04_envvar_that_is_not_set_is_an_error_when_the_run_starts() -> None:
    with pytest.raises(UsageError, match="the variable NOT_THERE is not set where the agent runs"):
        argv(["${envvar:NOT_THERE}"])


def test_s04_envvar_values_are_not_expanded_again() -> None:
    assert argv(["${envvar:X}"], {"lr": 1}, environ={"X": "${args}"}) == ["${args}"]


def test_s04_envvar_in_lower_case_is_an_error_at_creation() -> None:
    assert "a variable's name is capitals, digits and `_`" in problem("${envvar:home}")


@pytest.mark.parametrize(
    ("word", "hint"),
    [("${interpereter}", "did you mean `${interpreter}`?"), ("${arg}", "did you mean `${args}`?"),
     ("${HOME}", "for an environment variable write `${envvar:HOME}`")],
)  # fmt: skip
def test_s04_an_unknown_macro_is_an_error_at_creation(word: str, hint: str) -> None:
    assert problem("python", word) == f"command[1]: `{word}` is no macro: {hint}"


def test_s04_a_macro_is_one_only_when_it_is_the_whole_item() -> None:
    assert argv(["x${program}", "${args} "], {"a": 1}) == ["x${program}", "${args} "]


def test_s04_a_macro_inside_a_longer_item_gets_a_note() -> None:
    config = {"method": "random", "parameters": {"x": {"value": 1}}, "command": ["sh", "-c", "python ${program}"]}
    (note,) = read_sweep_config(config).notes
    assert (note.key, "make it a word of its own" in note.sentence) == ("command[2]", True)


def test_s04_shell_text_in_an_item_is_left_alone() -> None:
    words = ["sh", "-c", 'for a in "$@"; do echo "${a#--}"; done']
    config = {"method": "random", "parameters": {"x": {"value": 1}}, "command": words}
    read = read_sweep_config(config)
    assert (argv(list(read.command or ())), read.notes) == (words, ())


def test_s04_a_command_without_an_args_macro_passes_no_arguments() -> None:
    assert argv(["python", "${program}"], {"lr": 0.1}) == ["python", "train.py"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1e-05, "1e-05"), (3e6, "3000000.0"), (None, "None"), (True, "True"), (False, "False"), ([1, "a"], "[1, 'a']"),
     ({"x": 1}, "{'x': 1}"), ("hello world", "hello world"), ("", ""), (64, "64"), ("ü €", "ü €")],
)  # fmt: skip
def test_s04_values_are_written_as_python_writes_them(value: Any, shown: str) -> None:
    assert argv(["${args}"], {"v": value}) == [f"--v={shown}"]


def test_s04_json_writes_null_and_lower_case_booleans() -> None:
    assert argv(["${args_json}"], {"n": None, "t": True, "f": False}) == ['{"n": null, "t": true, "f": false}']


def test_s04_arguments_come_in_the_order_of_the_params_names_sorted() -> None:
    config = read_sweep_config("method: grid\nparameters: {b: {value: 1}, a: {value: 2}, c: {value: 3}}")
    assert argv(["${args}"], config.space.grid_point(0)) == ["--a=2", "--b=1", "--c=3"]


def test_s04_no_shell_sees_the_words() -> None:
    assert argv(["${args}"], {"s": "$(rm -rf /); `x` 'y' \"z\""}) == ["--s=$(rm -rf /); `x` 'y' \"z\""]
