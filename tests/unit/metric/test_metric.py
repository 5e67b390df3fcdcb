from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from besom.metric import Metric

finite = st.floats(allow_nan=False, allow_infinity=False)


def test_smaller_is_better_by_default() -> None:
    assert Metric("loss").better(1.0, 2.0)
    assert not Metric("loss").better(2.0, 1.0)


def test_larger_is_better_when_maximized() -> None:
    assert Metric("acc", goal="maximize").better(2.0, 1.0)
    assert not Metric("acc", goal="maximize").better(1.0, 2.0)


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
def test_equal_values_are_not_better(goal: str) -> None:
    assert not Metric("m", goal=goal).better(1.0, 1.0)


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_non_finite_value_is_never_better(goal: str, value: float) -> None:
    assert not Metric("m", goal=goal).better(value, 1e300)
    assert not Metric("m", goal=goal).better(value, -1e300)
    assert not Metric("m", goal=goal).better(value, value)


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
@pytest.mark.parametrize("other", [math.nan, math.inf, -math.inf])
def test_a_finite_value_is_better_than_a_non_finite_one(goal: str, other: float) -> None:
    assert Metric("m", goal=goal).better(0.0, other)


def test_score_is_the_smallest_value_when_minimized() -> None:
    assert Metric("loss").score([3.0, 1.0, 2.0]) == 1.0


def test_score_is_the_largest_value_when_maximized() -> None:
    assert Metric("acc", goal="maximize").score([3.0, 1.0, 2.0]) == 3.0


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
def test_mode_last_takes_the_last_finite_value(goal: str) -> None:
    assert Metric("m", goal=goal, mode="last").score([3.0, 1.0, 2.0, math.nan, math.inf]) == 2.0


def test_score_passes_over_non_finite_values() -> None:
    assert Metric("loss").score([math.nan, -math.inf, 5.0]) == 5.0


@pytest.mark.parametrize("mode", ["best", "last"])
def test_there_is_no_score_without_a_finite_value(mode: str) -> None:
    assert Metric("m", mode=mode).score([math.nan, math.inf]) is None
    assert Metric("m", mode=mode).score([]) is None


def test_no_target_is_never_reached() -> None:
    assert not Metric("loss").reached(-1e9)


def test_a_minimized_target_is_reached_at_and_below_it() -> None:
    metric = Metric("loss", target=0.1)
    assert [metric.reached(score) for score in (0.2, 0.1, 0.05)] == [False, True, True]


def test_a_maximized_target_is_reached_at_and_above_it() -> None:
    metric = Metric("acc", goal="maximize", target=0.9)
    assert [metric.reached(score) for score in (0.8, 0.9, 0.95)] == [False, True, True]


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
@given(value=finite, other=finite)
@settings(deadline=None)
def test_better_is_the_smaller_loss(goal: str, value: float, other: float) -> None:
    metric = Metric("m", goal=goal)
    assert metric.better(value, other) == (metric.as_loss(value) < metric.as_loss(other))


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
@given(value=finite)
@settings(deadline=None)
def test_as_loss_is_its_own_inverse(goal: str, value: float) -> None:
    metric = Metric("m", goal=goal)
    assert metric.as_loss(metric.as_loss(value)) == value


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
@given(values=st.lists(st.floats(), min_size=1))
@settings(deadline=None)
def test_no_value_is_better_than_the_best_score(goal: str, values: list[float]) -> None:
    metric = Metric("m", goal=goal)
    score = metric.score(values)
    if score is None:
        assert not any(math.isfinite(value) for value in values)
    else:
        assert score in values
        assert not any(metric.better(value, score) for value in values)
