"""Section 3: nested parameters and names."""

from __future__ import annotations

from typing import Any

import pytest

from besom.command import expand
from besom.errors import SweepConfigError
from besom.sweep_config import read_sweep_config

NESTED = """\
method: grid
parameters:
  optimizer:
    parameters:
      lr: {values: [0.001, 0.0001]}
      nadam: {parameters: {beta: {values: [0.9, 0.95]}}}
"""


def first(text: str) -> dict[str, Any]:
    return read_sweep_config(text).space.grid_point(0)


def argv(params: dict[str, Any], macro: str = "${args}") -> list[str]:
    return expand([macro], program=None, params=params, environ={}, json_file=None)


def problems(text: str) -> str:
    with pytest.raises(SweepConfigError) as caught:
        read_sweep_config(text)
    return str(caught.value)


def test_s03_groups_nest_to_any_depth_and_become_nested_dicts() -> None:
    assert first(NESTED) == {"optimizer": {"lr": 0.001, "nadam": {"beta": 0.9}}}


def test_s03_a_group_may_hold_only_parameters() -> None:
    text = "method: grid\nparameters: {o: {parameters: {x: {value: 1}}, value: 2}}"
    assert problems(text) == "2:47: parameters.o.value: a group holds only `parameters`: move `value` out of it"


def test_s03_a_group_that_lacks_its_mark_is_told_how_to_write_it() -> None:
    text = "method: grid\nparameters: {o: {lr: {values: [1]}}}"
    assert "write `o: {parameters: {lr: …}}`" in problems(text)


def test_s03_an_empty_group_is_an_error() -> None:
    assert "no parameter is listed" in problems("method: grid\nparameters: {o: {parameters: {}}}")


def test_s03_a_group_is_one_argument_written_as_python_writes_a_dict() -> None:
    assert argv(first(NESTED)) == ["--optimizer={'lr': 0.001, 'nadam': {'beta': 0.9}}"]


def test_s03_json_arguments_keep_the_nesting() -> None:
    assert argv(first(NESTED), "${args_json}") == ['{"optimizer": {"lr": 0.001, "nadam": {"beta": 0.9}}}']


def test_s03_a_dotted_name_is_a_flat_key() -> None:
    params = first("method: grid\nparameters: {optimizer.lr: {value: 0.001}}")
    assert (params, argv(params)) == ({"optimizer.lr": 0.001}, ["--optimizer.lr=0.001"])


def test_s03_a_dotted_name_and_the_plain_name_may_coexist() -> None:
    text = "method: grid\nparameters: {optimizer.config.lr: {value: 0.1}, optimizer: {values: [sgd, adam]}}"
    assert first(text) == {"optimizer": "sgd", "optimizer.config.lr": 0.1}


def test_s03_checking_a_config_keeps_its_nested_parameters() -> None:
    config = read_sweep_config(NESTED)
    assert [parameter.name for parameter in config.space.parameters] == ["optimizer.lr", "optimizer.nadam.beta"]
    assert read_sweep_config(config.raw) == config


def test_s03_a_nested_leaf_with_the_name_of_a_dotted_key_is_an_error() -> None:
    text = "method: grid\nparameters:\n  o: {parameters: {lr: {value: 1}}}\n  o.lr: {value: 2}\n"
    assert problems(text) == (
        "4:3: parameters.o.lr: the dotted name `o.lr` and the nested one in line 3 are the same name: "
        "rename one of them"
    )


def test_s03_nested_names_follow_the_pattern_too() -> None:
    assert "cannot be a name" in problems("method: grid\nparameters: {o: {parameters: {1x: {value: 1}}}}")


def test_s03_args_dotted_flattens_and_leaves_args_as_they_are() -> None:
    params = first(NESTED)
    assert argv(params, "${args_dotted}") == ["--optimizer.lr=0.001", "--optimizer.nadam.beta=0.9"]
    assert len(argv(params, "${args}")) == 1
