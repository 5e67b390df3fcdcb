from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np

from besom.sweep_config import check, read_sweep_config
from besom.sweep_config.check import MOST_POINTS, Meaning, ParameterRow
from besom.wire.sweeps import CheckAnswer

GRID = """\
method: grid
program: train.py
metric: {name: loss}
early_terminate: {type: hyperband, min_iter: 3}
parameters:
  lr: {values: [0.1, 0.01]}
  opt: {parameters: {name: {values: [sgd, adam, sgd]}, momentum: {value: 0.9}}}
  n: {min: 1, max: 2}
"""


def meaning(source: Any, seed: int = 0) -> Meaning:
    return check(read_sweep_config(source), np.random.default_rng(seed))


def test_rows_tell_name_distribution_bounds_scale_and_size() -> None:
    assert meaning(GRID).parameters == (
        ParameterRow("lr", "categorical", "0.1, 0.01", "categorical", 2),
        ParameterRow("n", "int_uniform", "1 … 2", "linear", 2),
        ParameterRow("opt.momentum", "constant", "0.9", "constant", 1),
        ParameterRow("opt.name", "categorical", '"sgd", "adam", "sgd"', "categorical", 2),
    )


def test_a_grid_tells_its_size_and_its_first_five_points() -> None:
    found = meaning(GRID)
    assert found.grid_size == 8
    assert [(each["lr"], each["n"], each["opt"]["name"]) for each in found.samples] == [
        (0.1, 1, "sgd"), (0.1, 1, "adam"), (0.1, 2, "sgd"), (0.1, 2, "adam"), (0.01, 1, "sgd"),
    ]  # fmt: skip


def test_a_space_smaller_than_five_points_has_fewer_samples() -> None:
    found = meaning({"method": "grid", "parameters": {"x": {"values": [1, 2]}}})
    assert found.samples == ({"x": 1}, {"x": 2})


def test_a_method_that_looks_at_results_shows_its_first_five_points() -> None:
    written = {"method": "tpe", "metric": {"name": "loss"}, "parameters": {"a": {"min": 0.0, "max": 1.0}}}
    samples = check(read_sweep_config(written), np.random.default_rng(0)).samples
    assert len({sample["a"] for sample in samples}) == 5


def test_an_infinite_space_has_no_size() -> None:
    found = meaning({"method": "random", "parameters": {"x": {"min": 0.0, "max": 1.0}}})
    assert (found.grid_size, found.parameters[0].size, len(found.samples)) == (None, None, 5)


def test_a_space_beyond_64_bits_is_shown_as_the_largest_number() -> None:
    parameters = {f"p{number}": {"min": 1, "max": 10**6} for number in range(10)}
    assert meaning({"method": "grid", "parameters": parameters}).grid_size == MOST_POINTS


def test_a_seed_in_the_config_fixes_the_samples() -> None:
    config = {"method": "random", "seed": 3, "parameters": {"x": {"min": 0.0, "max": 1.0}}}
    assert meaning(config, seed=0).samples == meaning(config, seed=1).samples


def test_without_a_seed_the_generator_decides() -> None:
    config = {"method": "random", "parameters": {"x": {"min": 0.0, "max": 1.0}}}
    assert meaning(config, seed=0).samples == meaning(config, seed=0).samples != meaning(config, seed=1).samples


def test_the_command_is_the_exact_argv_of_the_first_sample() -> None:
    assert meaning(GRID).command == (
        "/usr/bin/env", "python", "train.py", "--lr=0.1", "--n=1", "--opt={'momentum': 0.9, 'name': 'sgd'}",
    )  # fmt: skip


def test_the_command_keeps_what_only_the_run_knows_unexpanded() -> None:
    command = ["${program}", "key=${envvar:SECRET}", "${args_json_file}"]
    found = meaning({"method": "random", "parameters": {"x": {"value": 1}}, "command": command})
    assert found.command == tuple(command)


def test_rungs_are_those_of_the_rules() -> None:
    assert meaning(GRID).rungs == (3, 9, 27, 81, 243, 729, 2187, 6561)


def test_rungs_of_several_rules_are_joined() -> None:
    rules = [{"type": "hyperband", "max_iter": 27, "s": 2}, {"type": "hyperband", "max_iter": 8, "s": 1, "eta": 2}]
    config = {"method": "random", "metric": {"name": "m"}, "parameters": {"x": {"value": 1}}, "early_terminate": rules}
    assert meaning(config).rungs == (3, 4, 9)


def test_rungs_are_counts_and_every_rule_has_a_sentence() -> None:
    rules = [{"type": "asha", "resource": "epoch", "nan": {"patience": 2}}, {"type": "plateau"}, {"type": "median"}]
    config = {"method": "random", "metric": {"name": "m"}, "parameters": {"x": {"value": 1}}, "early_terminate": rules}
    found = meaning(config)
    assert found.rungs == (1, 2, 3, 4, 5, 6, 7, 8)
    assert [sentence.split(":")[0] for sentence in found.stopping] == ["asha", "nan", "plateau", "median"]
    assert found.stopping[0] == "asha: the best third goes on at epoch 1, 3, 9, 27, …, once 3 runs have come"


def test_there_are_no_rungs_without_a_rule() -> None:
    assert meaning({"method": "random", "parameters": {"x": {"value": 1}}}).rungs == ()


def test_the_facts_are_those_of_the_wire() -> None:
    answer = msgspec.convert(meaning(GRID), CheckAnswer, from_attributes=True)
    assert json.loads(msgspec.json.encode(answer))["metric"] == {
        "name": "loss", "goal": "minimize", "mode": "best", "target": None,
    }  # fmt: skip
