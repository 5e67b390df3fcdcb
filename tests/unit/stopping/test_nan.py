from __future__ import annotations

from typing import Any

import pytest

from besom.metric import Metric
from besom.stopping import HowMany, Stop
from besom.stopping.nan import Nan


def nan(**options: Any) -> Nan:
    return Nan.from_options(options, Metric("loss"))


@pytest.mark.parametrize(
    ("options", "streak", "count", "told"),
    [
        ({}, 4, 9, None),
        ({}, 5, 9, "the last 5 values of loss were NaN or infinite, after 9 finite values"),
        ({}, 5, 0, None),
        ({"patience": 1}, 1, 1, "loss was NaN or infinite, after 1 finite value"),
        ({"grace": 10}, 5, 9, None),
        ({"grace": 9}, 5, 9, "the last 5 values of loss were NaN or infinite, after 9 finite values"),
    ],
)
def test_a_streak_ends_the_run_after_a_finite_value(
    options: dict[str, Any], streak: int, count: int, told: str | None
) -> None:
    assert nan(**options).judge_streak(streak, count, HowMany(0)) == (None if told is None else Stop(told))


def test_min_peers_counts_the_runs_of_the_sweep() -> None:
    assert nan(min_peers=3).judge_streak(5, 1, HowMany(1)) is None
    assert nan(min_peers=3).judge_streak(5, 1, HowMany(2)) is not None


@pytest.mark.parametrize("options", [{"patience": 0}, {"nan": {}}, {"min_iter": 3}])
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"`{next(iter(options))}`"):
        nan(**options)
