"""Own keys: what Besom adds to W&B's sweep files."""

from __future__ import annotations

from typing import Any

import pytest

from besom.errors import SweepConfigError
from besom.sweep_config import Retry, SweepConfig, read_sweep_config


def read(**keys: Any) -> SweepConfig:
    return read_sweep_config({"method": "random", "parameters": {"x": {"values": [1, 2]}}} | keys)


def problem(**keys: Any) -> str:
    with pytest.raises(SweepConfigError) as caught:
        read(**keys)
    return str(caught.value)


def rule(**keys: Any) -> dict[str, Any]:
    return {"metric": {"name": "loss"}, "early_terminate": {"type": "hyperband", "min_iter": 3} | keys}


def test_d05_seed_is_a_whole_number() -> None:
    assert read(seed=7).seed == 7


def test_d05_seed_is_left_open_when_absent() -> None:
    assert read().seed is None


@pytest.mark.parametrize("seed", [-1, 0.5, "x"])
def test_d05_seed_of_anything_else_is_an_error(seed: Any) -> None:
    assert "seed: " in problem(seed=seed)


@pytest.mark.parametrize("order", ["sequential", "shuffled"])
def test_d05_order_of_a_grid(order: str) -> None:
    assert read(method="grid", order=order).order == order


def test_d05_order_is_sequential_when_absent() -> None:
    assert read().order == "sequential"


def test_d05_order_beside_another_method_gets_a_note() -> None:
    assert [note.key for note in read(order="shuffled").notes] == ["order"]


def test_d05_allow_repeats_is_false_when_absent() -> None:
    assert (read().allow_repeats, read(allow_repeats=True).allow_repeats) == (False, True)


def test_d05_the_word_repeat_is_sent_to_allow_repeats() -> None:
    assert "did you mean `allow_repeats`?" in problem(repeat=True)


def test_d05_metric_mode_and_target() -> None:
    metric = read(metric={"name": "acc", "goal": "maximize", "mode": "last", "target": 0.9}).metric
    assert metric is not None
    assert (metric.mode, metric.target) == ("last", 0.9)


def test_d05_retry_defaults_are_failed_0_crashed_2_preempted_unlimited() -> None:
    assert read().retry == Retry(failed=0, crashed=2, preempted=None)


def test_d05_retry_is_read_key_by_key() -> None:
    assert read(retry={"failed": 3, "crashed": "unlimited"}).retry == Retry(failed=3, crashed=None, preempted=None)


@pytest.mark.parametrize("limit", [-1, 1.5, "often"])
def test_d05_retry_of_anything_else_is_an_error(limit: Any) -> None:
    assert "retry.failed: " in problem(retry={"failed": limit})


def test_d05_prior_runs_are_run_ids() -> None:
    assert read(prior_runs=["a1", "b2"]).prior_runs == ("a1", "b2")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (90, 90.0),
        ("8h", 28800.0),
        ("30m", 1800.0),
        ("1d", 86400.0),
        ("45s", 45.0),
        ("1d12h", 129600.0),
        ("1.5 h", 5400.0),
    ],
)
def test_d05_time_cap_is_seconds_or_a_time_with_a_unit(written: Any, seconds: float) -> None:
    assert read(time_cap=written).time_cap_s == seconds


@pytest.mark.parametrize("written", [0, -5, "1:30", "soon", "8 hours", True, "0s"])
def test_d05_time_cap_of_anything_else_is_an_error(written: Any) -> None:
    assert "time_cap: " in problem(time_cap=written)


def test_d05_run_cap_is_read() -> None:
    assert read(run_cap=3).run_cap == 3


def test_d05_early_terminate_is_one_rule_or_a_list() -> None:
    one = {"type": "hyperband", "min_iter": 3}
    assert read(metric={"name": "loss"}, early_terminate=one).early_terminate == (one,)
    assert read(metric={"name": "loss"}, early_terminate=[one, one]).early_terminate == (one, one)


def test_d05_early_terminate_options_of_hyperband_are_all_read() -> None:
    options = {"eta": 2.5, "strict": False, "min_peers": 3, "grace": 4}
    assert read(**rule(**options)).early_terminate[0] == {"type": "hyperband", "min_iter": 3} | options


def test_d05_early_terminate_takes_s_as_a_whole_float() -> None:
    config = read(metric={"name": "loss"}, early_terminate={"type": "hyperband", "max_iter": 27, "s": 2.0})
    assert config.early_terminate[0]["s"] == 2


def test_d05_early_terminate_with_all_three_keeps_max_iter_and_s_with_a_note() -> None:
    config = read(**rule(max_iter=27, s=2))
    assert config.early_terminate == ({"type": "hyperband", "max_iter": 27, "s": 2},)
    assert [note.key for note in config.notes] == ["early_terminate.min_iter"]


@pytest.mark.parametrize(
    ("options", "key"),
    [({"type": "hyperband", "max_iter": 9}, "max_iter"), ({"type": "hyperband"}, "type"),
     ({"type": "hyperband", "min_iter": 3, "eta": 1}, "eta"), ({"type": "hyperband", "min_iter": 0}, "min_iter"),
     ({"type": "hyperband", "min_iter": 3, "strict": "yes"}, "strict"), ({"min_iter": 3}, "type")],
)  # fmt: skip
def test_d05_early_terminate_problems_are_told_at_their_key(options: dict[str, Any], key: str) -> None:
    assert problem(metric={"name": "loss"}, early_terminate=options).startswith(f"early_terminate.{key}: ")


def test_d05_early_terminate_problems_in_a_list_name_the_rule() -> None:
    rules = [{"type": "hyperband", "min_iter": 3}, {"type": "hyperbnad", "min_iter": 3}]
    assert problem(metric={"name": "loss"}, early_terminate=rules) == (
        'early_terminate[1].type: "hyperbnad" is unknown here: did you mean `hyperband`?'
    )


@pytest.mark.parametrize("method", ["bayes", "cmaes", "nsga2", "custom"])
def test_d05_methods_that_are_not_built_are_refused_by_name(method: str) -> None:
    found = problem(method=method, metric={"name": "loss"})
    assert found.startswith(f"method: `{method}` is not built yet: ")
    assert len(found.splitlines()) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"type": "asha", "min_iter": 2, "max_iter": 50, "eta": 4, "resource": "epoch"},
        {"type": "asha"},
        {"type": "median", "min_iter": 2, "every": 5, "min_peers": 3, "grace": 4},
        {"type": "percentile", "percentile": 25, "strict": True},
        {"type": "threshold", "upper": 10, "lower": -1.5, "grace": 3},
        {"type": "plateau", "patience": 5, "min_delta": 0.01, "nan": {"patience": 2}},
        {"type": "nan", "patience": 3},
    ],
)
def test_d05_early_terminate_options_of_each_rule_are_read(options: dict[str, Any]) -> None:
    assert read(metric={"name": "loss"}, early_terminate=options).early_terminate == (options,)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"type": "asha", "s": 2}, "s: asha has no `s`: it takes `min_iter`, "),
        ({"type": "asha", "min_iter": 9, "max_iter": 9}, "max_iter: `max_iter` 9 leaves no rung: the first one is 9"),
        ({"type": "ashs"}, 'type: "ashs" is unknown here: did you mean `asha`?'),
        ({"type": "median", "upper": 2}, "upper: median has no `upper`: it takes "),
        ({"type": "median", "grace_period": 2}, "grace_period: unknown key `grace_period`: did you mean `grace`?"),
        ({"type": "percentile", "percentile": 100}, "percentile: `percentile` must be between 0 and 100, not 100"),
        ({"type": "threshold"}, "type: threshold needs a bound, such as `upper: 10`"),
        ({"type": "threshold", "upper": 1, "lower": 2}, "lower: `lower` 2 is above `upper` 1"),
        ({"type": "threshold", "upper": "ten"}, 'upper: "ten" is not a number'),
        ({"type": "plateau", "min_delta": -1}, "min_delta: `min_delta` must be 0 or larger, not -1"),
        ({"type": "plateau", "patience": 0}, "patience: 0 is not a whole number of at least 1"),
        ({"type": "nan", "nan": {"patience": 3}}, "nan: nan has no `nan`: it takes `patience`"),
        ({"type": "asha", "resource": "loss"}, "resource: `resource` must be another key than the metric"),
    ],
)
def test_d05_early_terminate_problems_of_each_rule_are_told_at_their_key(options: dict[str, Any], told: str) -> None:
    assert problem(metric={"name": "loss"}, early_terminate=options).startswith(f"early_terminate.{told}")


def test_d05_compute_cap_is_read_as_time_cap() -> None:
    assert read(compute_cap="100h").compute_cap_s == 360000.0
    assert "compute_cap: " in problem(compute_cap="soon")


def test_d05_plateau_is_a_number_of_runs_and_needs_a_metric() -> None:
    assert read(metric={"name": "loss"}, plateau={"runs": 30}).plateau_runs == 30
    assert problem(plateau={"runs": 30}).startswith("plateau: `plateau` needs a `metric` to judge by")
    assert "plateau.runs: " in problem(metric={"name": "loss"}, plateau={"runs": 0})


@pytest.mark.parametrize(
    ("key", "value"),
    [("initial_points", [{"x": 1}]), ("require", ["x < 2"]), ("repeats", {"n": 3}), ("constraints", ["x < 1"]),
     ("metrics", [{"name": "a"}, {"name": "b"}])],
)  # fmt: skip
def test_d05_keys_that_are_not_built_are_refused_by_name(key: str, value: Any) -> None:
    assert problem(**{key: value}).startswith(f"{key}: `{key}` is not built yet: ")


def test_d05_when_is_refused_by_name() -> None:
    parameters = {"x": {"values": [1, 2]}, "y": {"value": 1, "when": {"x": 1}}}
    assert problem(parameters=parameters) == (
        "parameters.y.when: `when` is not built yet: leave it out, or make one sweep for each case"
    )


def test_d05_early_terminate_nan_is_read_with_its_patience() -> None:
    (found,) = read(**rule(nan={"patience": 7})).early_terminate
    assert found["nan"] == {"patience": 7}


@pytest.mark.parametrize(
    ("nan", "place"),
    [({"patience": 0}, "nan.patience: "), ({"patiense": 5}, "nan.patiense: "), (5, "nan: "), (True, "nan: ")],
)
def test_d05_early_terminate_nan_of_anything_else_is_an_error(nan: Any, place: str) -> None:
    assert f"early_terminate.{place}" in problem(**rule(nan=nan))


def test_d05_keys_that_are_not_built_are_still_read_whole() -> None:
    found = problem(repeats={"m": 3})
    assert "repeats: `repeats` is not built yet" in found
    assert "repeats.m: unknown key `m`" in found


def test_d05_a_valid_bayes_sweep_has_the_one_refusal_and_every_other_problem_is_found() -> None:
    metric = {"name": "loss", "goal": "minimize"}
    assert len(problem(method="bayes", metric=metric).splitlines()) == 1
    assert len(problem(method="bayes", metric=metric, run_cap=0, seed=-1).splitlines()) == 3


@pytest.mark.parametrize("key", ["scheduler", "settings", "job", "image_uri", "apiVersion", "kind"])
def test_d05_keys_without_a_use_are_accepted_with_a_note(key: str) -> None:
    assert [note.key for note in read(**{key: "x"}).notes] == [key]
