from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from besom.engine.ahead import Ready
from besom.engine.next_run import MOST_SKIPS, HandOutRun, NothingLeft, Progress, WaitForRuns, duration, next_run
from besom.engine.records import Run, Sweep
from besom.metric import Metric
from besom.search import make_searcher
from besom.space import Parameter, SearchSpace, make_distribution, params_hash
from besom.sweep_config import Retry

SPACE = SearchSpace([Parameter(("a",), make_distribution("categorical", {"values": [1, 2, 3]}))])
SEARCHER = make_searcher("grid", SPACE, seed=0)
SWEEP = Sweep(
    id=1, uid="s1", project_id=1, entity="mira", project="p", name="s1", state="running", ended_reason=None,
    method="grid", metric=None, retry=Retry(), run_cap=None, time_cap_s=None, seed=0, size=3, next_number=0,
    created_runs=0, waiting=0, first_started=None, notes=(), counts={},
)  # fmt: skip
WAITING = Run(
    id=5, uid="u5", project_id=1, sweep_id=1, name="r5", display_name="a=2", idx=1, state="queued", attempt=1,
    params={"a": 2}, params_hash="h", by_sweep=True, waiting_since=3.0, stop_wanted=None, stop_reason=None, score=None,
    warnings=(), started=1.0,
)  # fmt: skip
NEW = Progress(waiting=None, reached=None, pending=list, tried=lambda _: False)


def ask(sweep: Sweep, progress: Progress = NEW, searcher: Any = SEARCHER, now: float = 0.0) -> Any:
    return next_run(sweep, progress, searcher, now)


def test_the_first_draw_is_handed_out() -> None:
    assert ask(SWEEP) == HandOutRun(None, 0, {"a": 1}, params_hash({"a": 1}))


def test_a_waiting_run_comes_before_a_new_one_and_before_the_caps() -> None:
    capped = replace(SWEEP, run_cap=1, created_runs=1, waiting=1)
    assert ask(capped, replace(NEW, waiting=WAITING)) == HandOutRun(WAITING, 1, {"a": 2}, "h")


def test_points_that_were_tried_are_passed_over() -> None:
    tried = {params_hash({"a": 1}), params_hash({"a": 2})}
    answer = ask(SWEEP, replace(NEW, tried=tried.__contains__))
    assert (answer.number, answer.params) == (2, {"a": 3})


def test_an_ask_passes_over_a_bounded_number_of_points_and_the_next_goes_on() -> None:
    space = SearchSpace([Parameter(("a",), make_distribution("int_uniform", {"min": 0, "max": 10 * MOST_SKIPS}))])
    answer = ask(
        replace(SWEEP, size=10 * MOST_SKIPS + 1),
        replace(NEW, tried=lambda _: True),
        make_searcher("grid", space, seed=0),
    )
    assert isinstance(answer, WaitForRuns)
    assert (answer.seconds, answer.next_number) == (0.0, MOST_SKIPS)


@pytest.mark.parametrize(
    ("change", "reached", "reason"),
    [
        ({"next_number": 3}, None, "grid exhausted: 3 of 3 points"),
        ({"run_cap": 20, "created_runs": 20}, None, "run cap of 20 reached"),
        ({"time_cap_s": 8 * 3600.0, "first_started": 0.0}, None, "time cap of 8h reached"),
        (
            {"compute_cap_s": 3600.0, "run_time_ms": 4_500_000},
            None,
            "compute cap of 1h reached: runs have trained for 1h15m",
        ),
        ({"plateau_runs": 30, "since_best": 30}, None, "plateau: the last 30 runs brought nothing better"),
        ({"plateau_runs": 1, "since_best": 2}, None, "plateau: the last run brought nothing better"),
        (
            {"metric": Metric("val_loss", target=0.1)},
            ("abcd1234", 0.09),
            "target reached: val_loss 0.09 ≤ 0.1 by run abcd1234",
        ),
        (
            {"metric": Metric("acc", goal="maximize", target=0.9)},
            ("abcd1234", 0.95),
            "target reached: acc 0.95 ≥ 0.9 by run abcd1234",
        ),
        ({"method": "random", "next_number": 3}, None, "random search exhausted: 3 of 3 points"),
    ],
)
def test_a_sweep_ends_with_the_reason(change: dict[str, Any], reached: Any, reason: str) -> None:
    answer = ask(replace(SWEEP, **change), replace(NEW, reached=reached), now=8 * 3600.0)
    assert isinstance(answer, NothingLeft)
    assert answer.reason == reason


def test_the_compute_cap_counts_runs_that_train_now_and_asks_for_them_only_then() -> None:
    def never() -> float:
        raise AssertionError("asked without need")

    capped = replace(SWEEP, compute_cap_s=60.0, run_time_ms=30_000)
    assert isinstance(ask(capped, replace(NEW, running_s=lambda: 29.9)), HandOutRun)
    assert isinstance(ask(capped, replace(NEW, running_s=lambda: 30.0)), NothingLeft)
    assert isinstance(ask(SWEEP, replace(NEW, running_s=never)), HandOutRun)


@pytest.mark.parametrize("since_best", [0, 2])
def test_a_plateau_is_not_reached_before_its_length(since_best: int) -> None:
    assert isinstance(ask(replace(SWEEP, plateau_runs=3, since_best=since_best)), HandOutRun)


@pytest.mark.parametrize(
    ("running", "words"),
    [
        (1, "the last run is still training with another agent"),
        (2, "the last 2 runs are still training with other agents"),
    ],
)
def test_agents_wait_while_runs_are_under_way_elsewhere(running: int, words: str) -> None:
    answer = ask(replace(SWEEP, next_number=3, counts={"running": running}))
    assert isinstance(answer, WaitForRuns)
    assert answer.reason == f"grid exhausted: 3 of 3 points; {words}"


def test_a_paused_sweep_makes_agents_wait() -> None:
    assert "is paused" in ask(replace(SWEEP, state="paused"), replace(NEW, waiting=WAITING)).reason


def test_an_ended_sweep_has_nothing_left_and_says_why() -> None:
    answer = ask(replace(SWEEP, state="finished", ended_reason="stopped by a person"))
    assert answer == NothingLeft("stopped by a person", 0)


def test_without_a_size_nothing_is_compared_with_earlier_points() -> None:
    space = SearchSpace([Parameter(("a",), make_distribution("uniform", {"min": 0.0, "max": 1.0}))])

    def never(_: str) -> bool:
        raise AssertionError("asked for a point of an infinite space")

    answer = ask(replace(SWEEP, size=None), replace(NEW, tried=never), make_searcher("random", space, seed=1))
    assert answer.params_hash is None


@given(st.sets(st.integers(0, 2)), st.integers(0, 3), st.integers(0, 4), st.sampled_from([None, 1, 2, 3]))
def test_an_open_sweep_never_repeats_a_point_and_never_passes_its_cap(
    tried: set[int], next_number: int, created: int, run_cap: int | None
) -> None:
    hashes = {params_hash({"a": value + 1}) for value in tried}
    sweep = replace(SWEEP, next_number=next_number, created_runs=created, run_cap=run_cap)
    answer = ask(sweep, replace(NEW, tried=hashes.__contains__))
    if isinstance(answer, HandOutRun):
        assert answer.number >= next_number
        assert answer.number not in tried
        assert run_cap is None or created < run_cap
    else:
        assert isinstance(answer, NothingLeft)


@pytest.mark.parametrize(
    ("seconds", "text"), [(45, "45s"), (5400, "1h30m"), (8 * 3600, "8h"), (0.5, "0.5s"), (0, "0s"), (86461, "1d1m1s")]
)
def test_lengths_of_time_read_as_people_write_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


# ---- methods that look at results

MODEL = replace(SWEEP, method="tpe")
READY = Ready(0, {"a": 2}, "h2", {"source": "model"}, 0)


def ask_model(ready: Ready | None, sweep: Sweep = MODEL, **known: Any) -> Any:
    return ask(sweep, replace(NEW, ready=lambda: ready, **known), searcher=None)


def test_what_was_made_ahead_is_handed_out_with_its_reason() -> None:
    assert ask_model(READY) == HandOutRun(None, 0, {"a": 2}, "h2", {"source": "model"})


def test_while_nothing_is_ready_the_agent_waits_and_the_searcher_is_not_asked() -> None:
    answer = ask(MODEL, replace(NEW, ready=lambda: None), searcher=None)
    assert answer == WaitForRuns(0.0, "the next suggestion is being computed", 0, computing=True)


def test_what_was_tried_meanwhile_is_not_handed_out() -> None:
    assert ask_model(READY, tried={"h2"}.__contains__).computing


def test_runs_that_wait_and_caps_come_before_what_was_made_ahead() -> None:
    waits = replace(MODEL, waiting=1)
    assert ask_model(READY, waits, waiting=WAITING).again == WAITING
    assert isinstance(ask_model(READY, replace(MODEL, run_cap=1, created_runs=1)), NothingLeft)


def test_no_params_tell_that_the_space_is_exhausted() -> None:
    none = replace(READY, params=None, params_hash=None)
    assert ask_model(none) == NothingLeft("tpe search exhausted: 3 of 3 points", 0)
    answer = ask_model(none, replace(MODEL, counts={"running": 1}))
    assert isinstance(answer, WaitForRuns)
    assert not answer.computing
