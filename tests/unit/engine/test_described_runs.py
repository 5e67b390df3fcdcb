from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from besom.engine.described_runs import described_runs
from besom.errors import UsageError
from besom.metric import Metric
from besom.search import Observation

LOSS = Metric("val.loss")
ACCURACY = Metric("acc", goal="maximize")


def described(metric: Metric | None = LOSS, **run: Any) -> Observation:
    (found,) = described_runs([{"id": "a", "config": {"lr": 0.1}, "state": "finished", "value": None} | run], metric)
    return found.observation


def complaint(runs: Any) -> str:
    with pytest.raises(UsageError) as caught:
        described_runs(runs, LOSS)
    return str(caught.value)


def test_runs_are_numbered_in_their_order_and_keep_their_ids() -> None:
    runs = [
        {"id": "k3", "config": {"lr": 0.1, "more": [1]}, "state": "finished", "value": 0.5},
        {"id": 7, "config": {}, "state": "running"},
        {"config": {"lr": 0.2}, "state": "failed", "name": "known to somebody"},
    ]
    found = described_runs(runs, LOSS)
    assert [run.id for run in found] == ["k3", 7, 2]
    assert [run.observation for run in found] == [
        Observation(0, {"lr": 0.1, "more": [1]}, 0.5, "finished"),
        Observation(1, {}, None, "running"),
        Observation(2, {"lr": 0.2}, None, "failed"),
    ]


def test_a_value_is_turned_into_a_loss() -> None:
    assert described(ACCURACY, value=0.9).loss == -0.9
    assert described(LOSS, value=3).loss == 3.0


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", math.nan, math.inf, None])
def test_a_value_that_is_not_finite_is_none(value: Any) -> None:
    assert described(value=value).loss is None
    assert described(value=value, history=[5, 4, "NaN"]).loss == 4.0


def test_the_score_of_a_history_follows_the_metric() -> None:
    history = [0.3, "NaN", 0.1, None, 0.2, "Infinity"]
    assert described(history=history).loss == 0.1
    assert described(Metric("x", mode="last"), history=history).loss == 0.2
    assert described(ACCURACY, history=history).loss == -0.3
    assert described(value=0.7, history=history).loss == 0.7


def test_a_history_gives_length_and_rungs() -> None:
    found = described(ACCURACY, history=[0.1, 0.5, "NaN", 0.4, 0.6])
    assert found.length == 4
    assert found.rungs == ((1, -0.1), (2, -0.5), (3, -0.5), (4, -0.6))


def test_rows_are_looked_up_by_the_metric_name() -> None:
    rows = [{"val.loss": 3}, {"val": {"loss": 2}}, {"acc": 1}, {"val": 1}, {"val": {"loss": "NaN"}}]
    assert described(history=rows).rungs == ((1, 3.0), (2, 2.0))


def test_long_curves_share_their_rungs() -> None:
    long, longer = described(history=range(1000, 0, -1)[:500]), described(history=list(range(1000, 0, -1)))
    assert long.rungs == longer.rungs[: len(long.rungs)]
    assert len(longer.rungs) < 80
    assert longer.rungs[:31] == tuple((count, 1001.0 - count) for count in (*range(1, 31), 33))


def test_numbers_of_numpy_are_numbers() -> None:
    run = {
        "config": {"lr": np.float32(0.5), "sizes": (np.int64(3),)},
        "value": np.float64(2),
        "history": np.arange(3, 1, -1),
    }
    assert described(**run) == Observation(0, {"lr": 0.5, "sizes": [3]}, 2.0, "finished", 2, ((1, 3.0), (2, 2.0)))

    assert described(history=[np.float32(0.5), {"val.loss": np.int64(0)}]).rungs == ((1, 0.5), (2, 0.0))


def test_without_a_metric_values_do_not_matter() -> None:
    assert described(None, value="?", history=3) == Observation(0, {"lr": 0.1}, None, "finished")


@pytest.mark.parametrize(
    ("runs", "sentence"),
    [
        ({}, "`runs` is a list of runs, not a mapping"),
        (["k3"], "run 0 is 'k3': write a mapping with `id`, `config`, `state` and `value`"),
        ([{"id": 1.5}], "run 0: `id` is a text or a whole number, not 1.5"),
        ([{"id": "a"}], "run a: `config` is a mapping of the parameters and their values, not nothing"),
        ([{"id": "a", "config": {}}], "run a: `state` is missing: write one of queued, running, finished, stopped,"),
        ([{"config": {}, "state": "finish"}], "run 0: there is no state 'finish': did you mean 'finished'?"),
        ([{"config": {}, "state": "finished"}], "run 0 is finished and has no `value`: write null if it never had one"),
        (
            [{"config": {}, "state": "finished", "value": "low"}],
            'run 0: `value` is a number, "NaN", "Infinity" or null, not \'low\'',
        ),
        (
            [{"config": {}, "state": "finished", "value": True}],
            'run 0: `value` is a number, "NaN", "Infinity" or null, not True',
        ),
        (
            [{"config": {}, "state": "running", "history": 3}],
            "run 0: `history` is a list of values or of logged rows, not 3",
        ),
        ([{"id": name, "config": {}, "state": "failed"} for name in ("0", 0)], "two runs have the id 0"),
        ([{"config": {"a": {1}}, "state": "failed"}], "run 0: `config` holds a set: write numbers, text,"),
    ],
)
def test_mistakes_are_told(runs: Any, sentence: str) -> None:
    assert complaint(runs).startswith(sentence)
