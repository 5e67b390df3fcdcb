from __future__ import annotations

from typing import Any

import pytest

from besom.engine.remarks import metric_never_logged, metric_without_number, never_read, run_display_name
from besom.space import Parameter, SearchSpace, make_distribution


def test_a_metric_that_was_never_logged_is_named_with_what_was() -> None:
    assert metric_never_logged("x", ["a", "b"]) == "metric `x` was never logged; logged keys: a, b"
    assert metric_never_logged("x", []) == "metric `x` was never logged; nothing was logged at all"
    assert metric_never_logged("x", [str(number) for number in range(50)]).endswith("10, 11, …")


@pytest.mark.parametrize(
    ("last", "shown"), [("NaN", "NaN"), ("0.5", '"0.5"'), (None, "null"), ({"min": 1}, '{"min":1}'), (True, "true")]
)
def test_a_metric_that_was_never_a_number_is_shown_with_its_last_value(last: Any, shown: str) -> None:
    sentence = f"metric `x` was never a finite number (its last value: {shown}): the run has no score"
    assert metric_without_number("x", last) == sentence


def test_a_long_last_value_of_a_metric_is_cut() -> None:
    assert len(metric_without_number("x", "y" * 1000)) < 120


def test_a_swept_name_that_was_not_read_is_named_with_what_to_do() -> None:
    (sentence,) = never_read(["learning_rate", "batch_size", "opt"], {"batch_size", "opt.lr"})
    assert sentence == (
        '`learning_rate` was set by the sweep but never read by the script: use run.config["learning_rate"] where the '
        "script has its own value, or parse --learning_rate=… from the command line"
    )


def test_swept_names_that_were_not_read_are_named_together() -> None:
    (sentence,) = never_read(["a", "b", "c", "d"], {"b"})
    assert sentence.startswith("`a`, `c` and `d` were set by the sweep but never read by the script: use run.config")
    assert list(never_read(["a"], {"a"})) == []


def space(**values: Any) -> SearchSpace:
    return SearchSpace(
        [
            Parameter(tuple(name.split("__")), make_distribution("categorical", {"values": value}))
            if isinstance(value, list)
            else Parameter((name,), make_distribution("constant", {"value": value}))
            for name, value in values.items()
        ]
    )


@pytest.mark.parametrize(
    ("made", "params", "name"),
    [
        (space(lr=[0.001], batch=[64], epochs=5), {"lr": 0.001, "batch": 64, "epochs": 5}, "batch=64 lr=0.001"),
        (space(opt__lr=[0.1]), {"opt": {"lr": 0.1}}, "opt.lr=0.1"),
        (space(epochs=5), {"epochs": 5}, "run 3"),
        (space(text=["x" * 80]), {"text": "x" * 80}, "text=" + "x" * 54 + "…"),
    ],
)
def test_a_run_is_called_by_its_swept_values(made: SearchSpace, params: dict[str, Any], name: str) -> None:
    assert run_display_name(params, made, 2) == name
    assert len(name) <= 60
