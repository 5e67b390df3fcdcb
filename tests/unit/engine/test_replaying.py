from __future__ import annotations

import math
from typing import Any

from besom.engine.replaying import History, Outcome, Row, replay
from besom.metric import Metric
from besom.stopping import make_stoppers

LOSS = Metric("loss")


def history(run: str, values: list[float], begin: float = 0.0, **times: float) -> History:
    """A run that logs a value a second."""
    rows = [Row(begin + step, step, {"loss": value}) for step, value in enumerate(values)]
    return History(run, rows, **times)


def played(rule: dict[str, Any], *histories: History, metric: Metric = LOSS) -> list[Outcome]:
    return replay(make_stoppers([rule], metric), metric, histories)


def test_a_run_that_is_stopped_keeps_what_it_had_shown_until_then() -> None:
    good, bad = history("good", [1.0] * 6), history("bad", [9.0, 8.0, 7.0, 0.5], 10.0, started=8.0, ended=20.0)
    first, second = played({"type": "hyperband", "min_iter": 2}, good, bad)
    assert first == Outcome("good", 6, 5.0, 1.0, 6, 5.0, 1.0)
    reason = "step 2: 8 is above 1, the best third of 2 runs"
    assert second == Outcome("bad", 4, 12.0, 0.5, 2, 3.0, 8.0, reason, 2, 1)


def test_a_stopped_run_is_at_no_later_rung() -> None:
    runs = [history("a", [1.0] * 9), history("b", [2.0] * 9, 10.0), history("c", [1.0] * 3 + [3.0] * 6, 20.0)]
    outcomes = played({"type": "hyperband", "min_iter": 3}, *runs)
    assert outcomes[1].reason == "step 3: 2 is above 1, the best third of 2 runs"
    assert outcomes[2].reason == "step 9: 3 is above 1, the best third of 2 runs"


def test_rows_are_taken_in_the_order_of_their_times_and_not_of_the_runs() -> None:
    slow = History("slow", [Row(100.0, 0, {"loss": 1.0})])
    fast = History("fast", [Row(50.0, 0, {"loss": 2.0})])
    assert [each.reason for each in played({"type": "hyperband", "min_iter": 1}, slow, fast)] == [None, None]
    assert [each.reason for each in played({"type": "hyperband", "min_iter": 1}, fast, slow)] == [None, None]
    late = History("late", [Row(150.0, 0, {"loss": 3.0})])
    outcomes = played({"type": "hyperband", "min_iter": 1}, late, slow, fast)
    assert [each.reason is not None for each in outcomes] == [True, False, False]


def test_rows_without_the_metric_count_for_nothing() -> None:
    rows = [Row(float(step), step, {"epoch": step} if step % 2 else {"loss": 1.0, "epoch": step}) for step in range(6)]
    (outcome,) = played({"type": "asha", "resource": "epoch"}, History("a", rows))
    assert (outcome.logged, outcome.kept) == (3, 3)


def test_a_run_of_nothing_has_no_score_and_no_time() -> None:
    empty, words = played({"type": "nan"}, History("a", []), history("b", [math.nan] * 9))
    assert empty == Outcome("a", 0, 0.0, None, 0, 0.0, None)
    assert (words.score, words.reason) == (None, None)


def test_a_streak_has_no_rung() -> None:
    (outcome,) = played({"type": "nan", "patience": 2}, history("a", [1.0, math.nan, math.inf, 5.0]))
    assert (outcome.rung, outcome.step, outcome.kept, outcome.kept_score) == (None, 2, 3, 1.0)


def test_rules_that_compare_nothing_count_the_runs_that_have_begun() -> None:
    runs = [history(name, [9.0] * 3, 10.0 * at) for at, name in enumerate("abc")]
    outcomes = played({"type": "threshold", "upper": 5, "min_peers": 3}, *runs)
    assert [each.reason is not None for each in outcomes] == [False, False, True]


def test_the_last_value_counts_where_the_metric_says_so() -> None:
    metric = Metric("loss", mode="last")
    (outcome,) = played({"type": "threshold", "upper": 5}, history("a", [1.0, 9.0, 2.0]), metric=metric)
    assert (outcome.score, outcome.kept_score) == (2.0, 9.0)
