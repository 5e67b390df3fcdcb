from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besom.engine.folding import Fold
from besom.metric import Metric

VALUES = st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf, "text", True, {"a": 1}, "NaN"])
ROWS = st.lists(st.tuples(st.integers(0, 3), VALUES), max_size=30)


def merged(rows: list[tuple[int, Any]]) -> list[Any]:
    """The values after merging, the simple way; the first number of each pair moves the step on."""
    at, values = -1, {}
    for ahead, value in rows:
        at = max(at + min(ahead, 1), 0)
        values[at] = value
    return [values[step] for step in sorted(values)]


def folded(rows: list[tuple[int, Any]]) -> Fold:
    at, fold = -1, Fold()
    for ahead, value in rows:
        at = max(at + min(ahead, 1), 0)
        fold.take(at, value)
    return fold


def finite(values: list[Any]) -> list[float]:
    return [value for value in values if isinstance(value, float) and math.isfinite(value)]


@given(ROWS)
def test_a_fold_is_what_the_merged_rows_say(rows: list[tuple[int, Any]]) -> None:
    fold, values = folded(rows), finite(merged(rows))
    assert fold.count() == len(values)
    assert fold.smallest() == (min(values) if values else None)
    assert fold.largest() == (max(values) if values else None)
    for mode in ("best", "last"):
        for goal in ("minimize", "maximize"):
            metric = Metric("loss", goal=goal, mode=mode)
            assert fold.score(metric) == metric.score(values)
    if values:
        shown = fold.summary(["min", "max", "mean", "first"])
        assert shown["first"] == values[0]
        assert shown["mean"] == pytest.approx(sum(values) / len(values), abs=1e-6)


def test_the_same_step_logged_again_counts_once_and_the_last_value_wins() -> None:
    fold = Fold()
    for value in (3.0, 1.0, 2.0):
        fold.take(7, value)
    assert (fold.count(), fold.smallest(), fold.summary([])) == (1, 2.0, 2.0)


def test_a_row_logged_again_without_a_finite_value_no_longer_counts() -> None:
    fold = Fold()
    fold.take(0, 1.0)
    fold.take(1, 2.0)
    fold.take(1, math.nan)
    assert fold.count() == 1
    assert fold.summary([]) == "NaN"


def test_a_value_behind_the_newest_step_counts_and_does_not_become_the_last() -> None:
    fold = Fold()
    fold.take(5, 1.0)
    fold.take(3, 0.5)
    assert (fold.count(), fold.smallest(), fold.summary([])) == (2, 0.5, 1.0)


@pytest.mark.parametrize(
    ("kinds", "shown"),
    [
        ([], 2.0),
        (["min"], {"min": 1.0}),
        (["max", "last"], {"max": 3.0, "last": 2.0}),
        (["mean"], {"mean": 2.0}),
        (["first"], {"first": 3.0}),
    ],
)
def test_s12_define_metric_turns_the_summary_into_an_object(kinds: list[str], shown: Any) -> None:
    fold = Fold()
    for step, value in enumerate((3.0, 1.0, 2.0)):
        fold.take(step, value)
    assert fold.summary(kinds) == shown


def test_a_streak_of_nans_counts_rows_from_the_first_finite_value_on_and_ends_with_the_next() -> None:
    fold, streaks = Fold(), []
    for step, value in ((0, "NaN"), (1, 1.0), (2, "Infinity"), (3, "NaN"), (3, "NaN"), (1, 5.0), (4, "x"), (5, "NaN")):
        fold.take(step, value)
        streaks.append(fold.nan_streak())
    assert streaks == [0, 0, 1, 2, 2, 2, 2, 3]


def test_values_that_were_never_finite_are_no_streak() -> None:
    fold = Fold()
    for step in range(9):
        fold.take(step, math.nan)
    assert (fold.nan_streak(), fold.nan_run, fold.nan_count) == (0, 0, 8)


def test_a_mean_beyond_a_double_is_the_word_for_it() -> None:
    fold = Fold()
    for step in range(3):
        fold.take(step, 1.7e308)
    assert fold.summary(["mean"]) == {"mean": "Infinity"}
    assert fold.mean() == math.inf


def test_numbers_beyond_a_double_are_kept_as_they_are() -> None:
    fold = Fold()
    fold.take(0, 10**400)
    assert fold.summary([]) == 10**400
    assert fold.count() == 0
