from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from besom.common.json_numbers import dumps
from besom.errors import SweepConfigError
from besom.sweep_config import read_sweep_config
from besom.sweep_config.keys import SECTIONS

FULL = """\
program: train.py
name: everything
description: all keys that are built
project: digits
entity: ada
method: random
metric: {name: val/loss, goal: minimize, mode: last, target: 0.01, impute: best, impute_while_running: "false"}
command: ["${env}", python, -u, "${program}", --lr-note, 1e-3, "${args}"]
early_terminate: [{type: hyperband, max_iter: 27, s: 2, eta: 3, strict: false, min_peers: 3, grace: 1}]
run_cap: 20
time_cap: 8h
seed: 7
order: sequential
allow_repeats: true
retry: {failed: 1, crashed: unlimited, preempted: 3}
prior_runs: [a1, b2]
controller: {type: cloud}
kind: sweep
parameters:
  lr: {distribution: log_uniform_values, min: 1e-5, max: 0.1}
  layers: [1, 2, 3]
  epochs: 10
  optimizer:
    parameters:
      name: {values: [sgd, adam]}
      betas: {value: [0.9, 0.999]}
"""
WORDS = st.sampled_from(
    [key.name for keys in SECTIONS.values() for key in keys]
    + [
        "grid",
        "random",
        "hyperband",
        "minimize",
        "uniform",
        "log_uniform",
        "q_uniform",
        "x",
        "${args}",
        "${nope}",
        "1e-3",
    ]
)
JUNK = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(WORDS, children, max_size=5),
    max_leaves=25,
)


def outcome(source: Any, **options: Any) -> str:
    """What came of it; anything but a config or a SweepConfigError fails the test."""
    problems: list[dict[str, Any]] = []
    try:
        config = read_sweep_config(source, **options)
    except SweepConfigError as error:
        problems = error.problems
    if problems:
        assert all(problem["sentence"] for problem in problems)
        return "problems"
    assert read_sweep_config(json.loads(dumps(config.raw))) == config
    return "config"


def test_a_config_with_every_built_key_is_read_whole() -> None:
    config = read_sweep_config(FULL, file="full.yaml")
    assert config.metric is not None
    assert (config.metric.name, config.time_cap_s, config.seed, config.run_cap) == ("val/loss", 28800.0, 7, 20)
    assert config.command == ("${env}", "python", "-u", "${program}", "--lr-note", "1e-3", "${args}")
    assert [each.name for each in config.space.parameters] == [
        "epochs",
        "layers",
        "lr",
        "optimizer.betas",
        "optimizer.name",
    ]
    assert {note.key for note in config.notes} == {
        "controller", "kind", "order", "parameters.layers", "parameters.epochs",
    }  # fmt: skip


def test_raw_fed_back_as_an_object_is_an_equal_config() -> None:
    config = read_sweep_config(FULL)
    assert read_sweep_config(config.raw) == config


def test_raw_survives_json() -> None:
    config = read_sweep_config(FULL)
    assert read_sweep_config(json.loads(dumps(config.raw))) == config
    assert read_sweep_config(dumps(config.raw), format="json") == config


def test_overrides_win_and_stand_in_raw() -> None:
    overrides = {"name": "n", "program": "p.py", "project": "q", "entity": "e"}
    config = read_sweep_config(FULL, overrides=overrides)
    assert (config.name, config.program, config.project, config.entity) == ("n", "p.py", "q", "e")
    assert {key: config.raw[key] for key in overrides} == overrides


def test_overrides_that_are_none_leave_the_file_alone() -> None:
    assert read_sweep_config(FULL, overrides={"name": None}).name == "everything"


def test_overrides_are_checked_as_the_file_is() -> None:
    with pytest.raises(SweepConfigError, match="project name 'a/b' cannot be used"):
        read_sweep_config(FULL, overrides={"project": "a/b"})


@pytest.mark.parametrize(("key", "name"), [("project", "a/b"), ("entity", "api"), ("project", "..")])
def test_projects_and_entities_have_names_that_addresses_can_bear(key: str, name: str) -> None:
    with pytest.raises(SweepConfigError) as caught:
        read_sweep_config({"method": "random", "parameters": {"x": 1}, key: name})
    assert [problem["key"] for problem in caught.value.problems] == [key]


@pytest.mark.parametrize(
    "key", ["name", "description", "metric", "run_cap", "retry", "early_terminate", "command", "seed"]
)
def test_an_empty_optional_key_is_as_if_it_were_not_there(key: str) -> None:
    config = read_sweep_config({"method": "random", "parameters": {"x": {"value": 1}}, key: None})
    assert [note.sentence for note in config.notes] == [f"`{key}` is empty, as if it were not there"]


def test_an_empty_required_key_is_a_problem() -> None:
    with pytest.raises(SweepConfigError, match="method: `method` is empty: write for example `method: random`"):
        read_sweep_config("method:\nparameters: {x: {value: 1}}\n")


def test_an_empty_command_is_a_problem() -> None:
    with pytest.raises(SweepConfigError, match="the command is empty"):
        read_sweep_config({"method": "random", "parameters": {"x": {"value": 1}}, "command": []})


def test_problems_are_in_the_order_of_the_file() -> None:
    with pytest.raises(SweepConfigError) as caught:
        read_sweep_config("run_cap: 0\nmethod: x\nzzz: 1\nparameters: {a: {min: 1}}\nseed: -1\n")
    assert [problem["line"] for problem in caught.value.problems] == [1, 2, 3, 4, 5]


@settings(max_examples=150, deadline=None)
@given(JUNK)
def test_no_object_ends_in_anything_but_problems(junk: Any) -> None:
    outcome(junk)
    outcome({"method": "random", "parameters": {"x": junk}})


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(WORDS, JUNK, max_size=6))
def test_no_mapping_of_known_words_ends_in_anything_but_problems(junk: dict[str, Any]) -> None:
    outcome({"method": "grid", "parameters": {"x": {"value": 1}}} | junk)
    outcome({"method": "random", "parameters": {"x": {"value": 1}}, "early_terminate": junk, "metric": {"name": "m"}})


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.text(alphabet=" \n\t-:[]{}&*!|>'\"%@`#?,ab1.e", max_size=60))
def test_no_text_ends_in_anything_but_problems(text: str) -> None:
    outcome(text)
    outcome(text, format="json")
