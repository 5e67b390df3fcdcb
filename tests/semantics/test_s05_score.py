"""Section 5: a run's score, and runs that have none."""

from __future__ import annotations

from typing import Any

import pytest

PLAIN = "{method: grid, project: shapes, program: a.py, metric: {name: loss}, parameters: {a: {values: [1, 2]}}}"


@pytest.mark.parametrize(("mode", "score"), [("best", 0.1), ("last", 0.5)])
def test_s05_the_score_follows_the_mode(sqlite_hand: Any, mode: str, score: float) -> None:
    sweep = sqlite_hand.sweep(PLAIN.replace("name: loss", f"name: loss, mode: {mode}"))
    run = sqlite_hand.take(sqlite_hand.agent(sweep))
    sqlite_hand.log(run.uid, 1, [(0, {"loss": 0.3}), (1, {"loss": 0.1}), (2, {"loss": 0.5}), (3, {"loss": "NaN"})])
    answer = sqlite_hand.run(run.uid)
    assert (answer.score, answer.summary) == (score, {"loss": "NaN"})


def test_s05_a_metric_that_was_never_logged_is_told_after_the_first_finished_run(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep(PLAIN)
    agent = sqlite_hand.agent(sweep)
    for _ in range(2):
        run = sqlite_hand.take(agent)
        sqlite_hand.log(run.uid, 1, [(0, {"val_loss": 1.0, "acc": 2.0})])
        sentence = "metric `loss` was never logged; logged keys: acc, val_loss"
        assert sqlite_hand.finish(run.uid).warnings == [sentence]
        assert sqlite_hand.state(sweep).notes == [sentence]
    assert sqlite_hand.run(run.uid).score is None


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "0.1", True, None, [0.1], {"min": 0.1}])
def test_s05_what_is_no_finite_number_is_no_score_and_the_run_says_so(sqlite_hand: Any, value: Any) -> None:
    sweep = sqlite_hand.sweep(PLAIN)
    run = sqlite_hand.take(sqlite_hand.agent(sweep))
    sqlite_hand.log(run.uid, 1, [(0, {"loss": value})])
    (warning,) = sqlite_hand.finish(run.uid).warnings
    assert warning.startswith("metric `loss` was never a finite number (its last value: ")
    assert sqlite_hand.run(run.uid).score is None
    assert sqlite_hand.state(sweep).best_run is None
    assert sqlite_hand.state(sweep).notes == [], "other runs may do better"


def test_s05_values_that_are_no_finite_numbers_are_passed_over(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep(PLAIN)
    run = sqlite_hand.take(sqlite_hand.agent(sweep))
    values = ["-Infinity", "NaN", 0.5, True, "0.1", None, 0.7]
    sqlite_hand.log(run.uid, 1, [(step, {"loss": value}) for step, value in enumerate(values)])
    assert sqlite_hand.finish(run.uid).warnings == []
    assert sqlite_hand.run(run.uid).score == 0.5


@pytest.mark.parametrize(("mode", "best"), [("best", 0), ("last", 1)])
def test_s05_the_mode_rules_ranking_too(sqlite_hand: Any, mode: str, best: int) -> None:
    sweep = sqlite_hand.sweep(PLAIN.replace("name: loss", f"name: loss, mode: {mode}"))
    agent = sqlite_hand.agent(sweep)
    names = []
    for losses in ([0.1, 0.9], [0.5, 0.5]):
        run = sqlite_hand.take(agent)
        sqlite_hand.log(run.uid, 1, [(step, {"loss": loss}) for step, loss in enumerate(losses)])
        sqlite_hand.finish(run.uid)
        names.append(run.name)
    assert sqlite_hand.state(sweep).best_run == names[best]


@pytest.mark.parametrize(("mode", "state"), [("best", "finished"), ("last", "running")])
def test_s05_the_mode_rules_the_target_too(sqlite_hand: Any, mode: str, state: str) -> None:
    sweep = sqlite_hand.sweep(PLAIN.replace("name: loss", f"name: loss, target: 0.2, mode: {mode}"))
    run = sqlite_hand.take(sqlite_hand.agent(sweep))
    sqlite_hand.log(run.uid, 1, [(0, {"loss": 0.1}), (1, {"loss": 0.9})])
    sqlite_hand.finish(run.uid)
    assert sqlite_hand.state(sweep).state == state


def test_s05_define_metric_changes_the_summary_and_not_the_score(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep(PLAIN)
    run = sqlite_hand.take(sqlite_hand.agent(sweep))
    sqlite_hand.note(run.uid, 1, {"t": "define", "name": "loss", "summary": ["max"]})
    sqlite_hand.log(run.uid, 1, [(0, {"loss": 0.9}), (1, {"loss": 0.1}), (2, {"loss": 0.4})])
    answer = sqlite_hand.run(run.uid)
    assert (answer.summary, answer.score) == ({"loss": {"max": 0.9}}, 0.1)


def test_s05_a_nested_log_is_found_by_its_dotted_name(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep(PLAIN.replace("name: loss", "name: val.loss"))
    run = sqlite_hand.take(sqlite_hand.agent(sweep))
    sqlite_hand.log(run.uid, 1, [(0, {"val.loss": 0.5})])
    assert sqlite_hand.run(run.uid).score == 0.5
