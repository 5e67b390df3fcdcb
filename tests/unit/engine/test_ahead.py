from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from besom.engine.ahead import Task, by_chance, carry_out, stretches, told
from besom.metric import Metric
from besom.search import Observation, SearchInfo
from besom.space import params_hash
from besom.sweep_config import read_sweep_config

CONFIG: dict[str, Any] = {
    "method": "tpe",
    "program": "train.py",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"a": {"values": [1, 2]}, "b": {"values": ["x", "y", "z"]}},
}
READ = read_sweep_config(CONFIG)


def task(numbers: list[int], observations: Any = (), pending: Any = ()) -> Task:
    return Task(1, CONFIG, 3, numbers, observations, pending, 0)


def test_the_draws_of_a_task_differ_and_respect_what_is_pending() -> None:
    pending = {"a": 1, "b": "x"}
    drawn = list(carry_out(task([0, 1, 2, 3, 4], pending=[pending]), READ))
    assert [each.number for each in drawn] == [0, 1, 2, 3, 4]
    hashes = [each.params_hash for each in drawn]
    assert hashes == [params_hash(each.params or {}) for each in drawn]
    assert len({params_hash(pending), *hashes}) == 6


def test_the_last_draw_says_that_the_space_is_exhausted() -> None:
    seen = [Observation(at, {"a": 1 + at // 3, "b": "xyz"[at % 3]}, 0.5, "finished") for at in range(5)]
    drawn = list(carry_out(task([5, 6, 7], seen), READ))
    assert [(each.number, each.params) for each in drawn] == [(5, {"a": 2, "b": "z"}), (6, None)]


def test_a_task_survives_its_way_to_another_process() -> None:
    seen = (Observation(-4, {"a": 1, "b": "x"}, 0.5, "stopped", 3, ((1, 0.75), (3, 0.5))),)
    sent = task([5], seen, ({"a": 2, "b": "y"},))
    back = msgspec.convert(json.loads(json.dumps(msgspec.to_builtins(sent))), Task)
    assert list(back.observations) == list(seen)
    assert list(carry_out(back, READ)) == list(carry_out(sent, READ))


def test_a_draw_by_chance_is_none_that_was_tried_and_says_why() -> None:
    tried: set[str] = set()
    for number in range(6):
        drawn = by_chance(READ.space, 3, number, 6, tried.__contains__, "the model has died")
        assert drawn.params is not None
        assert drawn.info == SearchInfo("random", warnings=("the model has died",))
        tried.add(params_hash(drawn.params))
    assert len(tried) == 6
    assert by_chance(READ.space, 3, 2, 6, tried.__contains__, "").params is None


def test_reasons_are_told_in_the_metrics_unit_with_names() -> None:
    info = SearchInfo("model", predicted_value=-2.0, expected_improvement=0.5, best=7, seen=(3, 0, 1, -9))
    found = told(info, Metric("accuracy", goal="maximize"), {7: "abcd"}.get)
    assert found == {
        "source": "model", "success_probability": None, "predicted_value": 2.0, "predicted_value_std_dev": None,
        "expected_improvement": 0.5, "best": "abcd", "seen": [[0, 1], [3, 3]], "others_seen": 1, "warnings": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("numbers", "found"), [([], []), ([4], [[4, 4]]), ([0, 1, 2], [[0, 2]]), ([0, 2, 3, 9], [[0, 0], [2, 3], [9, 9]])]
)
def test_numbers_become_stretches(numbers: list[int], found: list[list[int]]) -> None:
    assert stretches(numbers) == found
