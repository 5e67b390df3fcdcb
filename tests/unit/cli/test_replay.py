from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from besom.cli.replay import draw, report, summary
from besom.engine.replaying import Outcome, sum_of
from besom.metric import Metric
from besom.stopping import make_stoppers

LOSS = Metric("loss")
RULES = make_stoppers([{"type": "hyperband", "min_iter": 3}], LOSS)
WHY = "step 3: 0.9 is above 0.5, the best third of 3 runs"
GOOD = Outcome("good", 81, 60.0, 0.2, 81, 60.0, 0.2)
BAD = Outcome("bad", 81, 60.0, 0.8, 3, 2.0, 0.9, WHY, 3, 2)


def lines(*outcomes: Outcome) -> list[str]:
    return list(summary(LOSS, outcomes, sum_of(outcomes, LOSS)))


def test_the_summary_says_what_is_saved_and_that_the_best_goes_on() -> None:
    assert lines(GOOD, BAD) == [
        "1 of 2 runs would have been stopped",
        "saved: 78 of 162 values of loss, 48 %",
        "saved: 58 s of 2 min 00 s of run time, 48 %",
        "best: run good with 0.2000 would have gone on to its end",
    ]


def test_the_summary_says_why_the_best_would_have_been_stopped_and_what_is_left() -> None:
    late = Outcome("late", 81, 60.0, 0.1, 3, 2.0, 0.9, WHY, 3, 2)
    assert lines(GOOD, late)[3:] == [
        f"best: run late with 0.1000 would have been stopped: {WHY}",
        "best left: run good with 0.2000",
    ]


def test_runs_that_do_not_count_are_never_the_best() -> None:
    failed = Outcome("failed", 1, 1.0, 0.0, 1, 1.0, 0.0, counts=False)
    assert lines(failed)[-1] == "best: no run has ended with a value"
    assert lines(failed, GOOD)[-1].startswith("best: run good ")


def test_of_equal_runs_the_first_is_the_best() -> None:
    other = Outcome("other", 81, 60.0, 0.2, 81, 60.0, 0.2)
    total = sum_of([GOOD, other], LOSS)
    assert (total.best, total.best_kept) == (GOOD, GOOD)


def test_a_sweep_of_nothing_has_no_shares() -> None:
    assert lines() == [
        "0 of 0 runs would have been stopped",
        "saved: 0 of 0 values of loss",
        "saved: 0.0 s of 0.0 s of run time",
        "best: no run has ended with a value",
    ]


def test_the_report_has_everything() -> None:
    found = report("s1", LOSS, RULES, [GOOD, BAD], sum_of([GOOD, BAD], LOSS))
    assert found == {
        "sweep": "s1",
        "metric": "loss",
        "rules": ["hyperband: the best third goes on at 3, 9, 27, 81, … values of loss"],
        "runs": 2,
        "stopped": [
            {"id": "bad", "reason": WHY, "rung": 3, "step": 2, "values": 3, "of_values": 81, "run_time_s": 2.0,
             "of_run_time_s": 60.0, "score": 0.9, "final_score": 0.8},
        ],
        "values": 162,
        "saved_values": 78,
        "run_time_s": 120.0,
        "saved_s": 58.0,
        "best": {"id": "good", "score": 0.2, "stopped": False},
        "best_left": {"id": "good", "score": 0.2},
    }  # fmt: skip


def test_the_table_has_a_line_for_each_run_that_was_stopped() -> None:
    out = Console(file=io.StringIO(), width=200)
    draw(out, LOSS, RULES, [GOOD, BAD], sum_of([GOOD, BAD], LOSS))
    written: Any = out.file
    assert written.getvalue().splitlines()[-2:] == [
        "run   values   score  at its end  why",
        f"bad  3 of 81  0.9000      0.8000  {WHY}",
    ]
