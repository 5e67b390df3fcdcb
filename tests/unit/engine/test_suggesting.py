from __future__ import annotations

import json
import math
from typing import Any

import pytest

from besom.engine.suggesting import suggest
from besom.errors import SweepConfigError, UsageError
from besom.search import METHODS, Observation, SearchInfo, Suggestion, make_searcher
from besom.sweep_config import read_sweep_config

INFINITE = {"lr": {"distribution": "log_uniform_values", "min": 1e-5, "max": 0.1}, "layers": {"min": 1, "max": 5}}
FINITE = {"layers": {"values": [1, 2, 3]}, "name": {"values": ["sgd", "adam"]}, "epochs": {"value": 3}}
FIELDS = {
    "source", "success_probability", "predicted_value", "predicted_value_std_dev", "expected_improvement", "best",
    "seen", "warnings",
}  # fmt: skip


def sweep(method: str, parameters: Any = INFINITE, **keys: Any) -> dict[str, Any]:
    return {"method": method, "metric": {"name": "loss", "goal": "minimize"}, "parameters": parameters, **keys}


def play(config: dict[str, Any], count: int, state: str = "finished", **options: Any) -> list[dict[str, Any]]:
    """Runs that were suggested one after another."""
    runs: list[dict[str, Any]] = []
    while len(runs) < count and (params := suggest(config, runs, **options)["params"]) is not None:
        value = abs(math.log10(params.get("lr", 1e-3)) + 3) + abs(params["layers"] - 3)
        runs.append({"id": f"r{len(runs)}", "config": params, "state": state, "value": value})
    return runs


@pytest.mark.parametrize("method", [name for name in METHODS if name != "grid"])
def test_every_method_answers_with_params_and_their_story(method: str) -> None:
    config = sweep(method)
    runs = play(config, 8)
    answer = suggest(config, runs, seed=3)
    assert read_sweep_config(config).space.contains(answer["params"])
    assert set(answer["info"]) == FIELDS
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert answer == suggest(config, runs, seed=3)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_goes_through_a_finite_space_once(method: str) -> None:
    runs = play(sweep(method, FINITE), 100)
    assert len({json.dumps(run["config"], sort_keys=True) for run in runs}) == 6 == len(runs)
    assert suggest(sweep(method, FINITE), runs) == {"params": None}


@pytest.mark.parametrize("method", METHODS)
def test_runs_of_any_state_take_their_point(method: str) -> None:
    for state in ("running", "failed", "preempted", "killed", "crashed", "stopped", "queued"):
        assert len(play(sweep(method, FINITE), 100, state)) == 6


@pytest.mark.parametrize("method", ["random", "sobol", "tpe"])
def test_the_answer_is_that_of_the_searcher(method: str) -> None:
    config = read_sweep_config(sweep(method))
    runs = play(sweep(method), 12, seed=5)
    searcher = make_searcher(method, config.space, seed=5)
    for number, run in enumerate(runs):
        searcher.tell(Observation(number, run["config"], run["value"], "finished"))
    assert suggest(sweep(method), runs, seed=5)["params"] == searcher.ask(12, [])
    assert suggest(sweep(method), runs, seed=5, number=40)["params"] == searcher.ask(40, [])


def test_points_that_were_run_out_of_order_are_passed_over_and_the_first_ones_come_last() -> None:
    points = [run["config"] for run in play(sweep("grid", FINITE), 6)]
    runs = [{"config": config, "state": "finished", "value": 1} for config in (points[3], points[2])]
    more = []
    while (params := suggest(sweep("grid", FINITE), runs)["params"]) is not None:
        runs.append({"config": params, "state": "running", "value": None})
        more.append(params)
    assert more == [points[4], points[5], points[0], points[1]]


def test_the_seed_is_the_given_one_or_the_configs_or_0() -> None:
    given = suggest(sweep("random"), seed=9)
    assert given == suggest(sweep("random", seed=9)) == suggest(sweep("random", seed=1), seed=9)
    assert suggest(sweep("random")) == suggest(sweep("random"), seed=0) != given


def test_a_larger_value_is_better_where_the_goal_says_so() -> None:
    low, high = sweep("tpe"), sweep("tpe", metric={"name": "loss", "goal": "maximize"})
    runs = play(low, 15)
    turned = [{**run, "value": -run["value"]} for run in runs]
    assert suggest(low, runs) == suggest(high, turned)
    assert suggest(low, runs) != suggest(high, runs)


def test_what_a_model_expects_is_in_the_metrics_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    info = SearchInfo("model", 0.9, -0.75, 0.1, 0.02, best=1, seen=(0, 1), warnings=("so",))
    monkeypatch.setattr(METHODS["tpe"], "suggest", lambda *_: Suggestion({"lr": 1e-3}, info))
    runs = [{"id": name, "config": {"lr": 0.01, "layers": 2}, "state": "finished", "value": 1} for name in ("a", "b")]
    answer = suggest(sweep("tpe", metric={"name": "acc", "goal": "maximize"}), runs)
    assert answer["info"] == {
        "source": "model", "success_probability": 0.9, "predicted_value": 0.75, "predicted_value_std_dev": 0.1,
        "expected_improvement": 0.02, "best": "b", "seen": ["a", "b"], "warnings": ["so"],
    }  # fmt: skip
    assert suggest(sweep("tpe"), runs)["info"]["predicted_value"] == -0.75


def test_the_runs_that_were_seen_have_their_ids() -> None:
    runs = play(sweep("tpe"), 3)
    runs.append({"id": "odd", "config": {"lr": 0.1}, "state": "finished", "value": 1})
    info = suggest(sweep("tpe"), runs)["info"]
    assert info["seen"] == ["r0", "r1", "r2"]
    assert len(info["warnings"]) == 1


def test_the_arguments_stay_as_they_are() -> None:
    config, runs = sweep("tpe"), play(sweep("tpe"), 7)
    before = json.dumps([config, runs])
    suggest(config, runs)
    assert json.dumps([config, runs]) == before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"seed": -1}, "`seed` is a whole number from 0 on, not -1"),
        ({"seed": True}, "`seed` is a whole number from 0 on, not True"),
        ({"number": 1.5}, "`number` is a whole number from 0 on, not 1.5"),
    ],
)
def test_mistakes_in_the_call_are_told(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        suggest(sweep("random"), [], **options)
    assert str(caught.value) == sentence


def test_all_problems_of_a_config_are_told() -> None:
    with pytest.raises(SweepConfigError) as caught:
        suggest({"method": "tpe", "parameters": {"a": {"min": 2, "max": 1}}, "sede": 3})
    assert len(caught.value.problems) == 3
