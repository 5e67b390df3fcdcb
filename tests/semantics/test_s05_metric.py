"""Section 5: the metric."""

from __future__ import annotations

from typing import Any

import pytest

from besom.errors import SweepConfigError
from besom.metric import Metric
from besom.sweep_config import read_sweep_config


def read(metric: Any) -> Metric | None:
    return read_sweep_config({"method": "random", "parameters": {"x": {"value": 1}}, "metric": metric}).metric


def problem(metric: Any) -> str:
    with pytest.raises(SweepConfigError) as caught:
        read(metric)
    return str(caught.value)


def test_s05_defaults_are_minimize_best_no_target_worst_false() -> None:
    assert read({"name": "loss"}) == Metric("loss", "minimize", "best", None, "worst", "false")


def test_s05_name_is_required() -> None:
    assert problem({"goal": "minimize"}) == "metric.name: `name` is missing: add `name: val_loss`"


@pytest.mark.parametrize("name", ["loss", "val/loss", "val.loss", "Val F1", "mAP50-95(B)"])
def test_s05_name_is_any_text(name: str) -> None:
    metric = read({"name": name})
    assert metric is not None
    assert metric.name == name


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
def test_s05_goal_is_minimize_or_maximize(goal: str) -> None:
    metric = read({"name": "x", "goal": goal})
    assert metric is not None
    assert metric.goal == goal


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("maxmize", "maximize"),
        ("maximise", "maximize"),
        ("Minimize", "minimize"),
        ("max", "maximize"),
        ("min", "minimize"),
    ],
)
def test_s05_goal_with_a_slip_is_an_error_with_the_nearest_word(slip: str, meant: str) -> None:
    assert problem({"name": "x", "goal": slip}) == f'metric.goal: "{slip}" is unknown here: did you mean `{meant}`?'


def test_s05_target_is_a_number() -> None:
    metric = read({"name": "x", "target": 0.99})
    assert metric is not None
    assert metric.target == 0.99


def test_s05_target_in_quotes_is_told_to_lose_them() -> None:
    assert problem({"name": "x", "target": "0.9"}) == 'metric.target: "0.9" is text: write it without quotes'


@pytest.mark.parametrize("impute", ["worst", "best", "latest"])
def test_s05_impute_is_accepted(impute: str) -> None:
    metric = read({"name": "x", "impute": impute})
    assert metric is not None
    assert metric.impute == impute


@pytest.mark.parametrize("word", ["false", "worst", "best", "latest", False])
def test_s05_impute_while_running_is_accepted_and_yaml_false_is_its_word(word: Any) -> None:
    metric = read({"name": "x", "impute_while_running": word})
    assert metric is not None
    assert metric.impute_while_running == (word or "false")


@pytest.mark.parametrize(("mode", "score"), [("best", 1.0), ("last", 3.0)])
def test_s05_mode_decides_what_a_runs_score_is(mode: str, score: float) -> None:
    metric = read({"name": "x", "mode": mode})
    assert metric is not None
    assert metric.score([2.0, 1.0, 3.0, float("nan")]) == score


def test_s05_unknown_keys_are_errors() -> None:
    assert "unknown key `gaol`: did you mean `goal`?" in problem({"name": "x", "gaol": "minimize"})


def test_s05_a_metric_given_as_text_is_told_how_to_write_it() -> None:
    assert problem("loss") == (
        'metric: "loss" is not a mapping with `name` and `goal`: write for example '
        "`metric: {name: val_loss, goal: minimize}`"
    )
