from __future__ import annotations

from typing import Any

import pytest

from besom.metric import Metric
from besom.stopping import RULES, HowMany, make_stoppers
from besom.stopping.nan import Nan

LOSS = Metric("loss")


def test_rules_are_known_by_their_names() -> None:
    assert set(RULES) == {"hyperband", "asha", "median", "percentile", "threshold", "plateau", "nan"}


def test_each_rule_becomes_a_stopper_in_order() -> None:
    stoppers = make_stoppers([{"type": "hyperband", "min_iter": 3}, {"type": "asha", "min_iter": 5}], LOSS)
    assert [stopper.ladder.first(1) for stopper in stoppers] == [[3], [5]]


@pytest.mark.parametrize("name", sorted(set(RULES) - {"nan"}))
def test_the_key_nan_of_a_rule_is_a_rule_of_its_own(name: str) -> None:
    needed = {"hyperband": {"min_iter": 3}, "threshold": {"upper": 1}}.get(name, {})
    rule, streaks = make_stoppers([{"type": name, **needed, "nan": {"patience": 2}}], LOSS)
    assert (type(rule), type(streaks)) == (RULES[name], Nan)
    assert streaks.judge_streak(2, 1, HowMany(0)) is not None
    assert [type(each) for each in make_stoppers([{"type": name, **needed}], LOSS)] == [RULES[name]]


@pytest.mark.parametrize(
    ("nan", "sentence"),
    [
        (5, "`nan` must be a mapping such as `nan: {patience: 5}`, not 5"),
        ({"patiense": 5}, "`nan` must be a mapping"),
        ({"patience": 0}, "`patience` must be a whole number, 1 or larger, not 0"),
    ],
)
def test_the_key_nan_of_anything_else_is_refused(nan: Any, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        make_stoppers([{"type": "median", "nan": nan}], LOSS)
    assert sentence in str(caught.value)


def test_no_rules_make_no_stoppers_and_need_no_metric() -> None:
    assert make_stoppers([], None) == []


@pytest.mark.parametrize("options", [{"type": "envelope"}, {"min_iter": 3}, {"type": ["hyperband"]}])
def test_an_unknown_rule_is_told_what_to_write(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"no stopping rule .*: write `type: hyperband`, or one of hyperband, a"):
        make_stoppers([options], LOSS)


def test_a_rule_without_a_metric_is_refused() -> None:
    with pytest.raises(ValueError, match="early_terminate needs a `metric`"):
        make_stoppers([{"type": "hyperband", "min_iter": 3}], None)


def test_options_are_checked_by_their_rule() -> None:
    with pytest.raises(ValueError, match="`eta` must be above 1"):
        make_stoppers([{"type": "hyperband", "min_iter": 3, "eta": 0.5}], LOSS)
