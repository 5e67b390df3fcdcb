from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from besom.metric import Metric
from besom.stopping import HowMany, Seen, Stop
from besom.stopping.plateau import Plateau

LOSS = Metric("loss")
ACCURACY = Metric("acc", goal="maximize")


def first_stop(values: Sequence[float], metric: Metric = LOSS, **options: Any) -> tuple[int, Stop] | None:
    """When and why a run with these values ends."""
    rule = Plateau.from_options(options, metric)
    mine: Mapping[int, Seen] = {}
    for count, value in enumerate(values, 1):
        look = Seen(count, value, value, value)
        mine = rule.keeps(count, look, mine)
        if (stop := rule.judge(count, look, mine, HowMany(0))) is not None:
            return count, stop
    return None


def test_a_run_ends_when_its_patience_is_over() -> None:
    assert first_stop([5, 4, 4.5, 4, 4.2], patience=3) == (
        5,
        Stop("step 5: none of the last 3 values is below 4, the value at step 2"),
    )
    assert first_stop([5, 4, 4.5, 4, 3.9, 4.2, 4.3], patience=3) is None


def test_only_more_than_min_delta_is_a_record_with_which_later_values_are_compared() -> None:
    # 4.5 is no record, so 4.0 is compared with 5.0 and is one.
    assert first_stop([5.0, 4.5, 4.0, 3.5, 3.0], patience=2, min_delta=0.5) is None
    assert first_stop([5.0, 4.6, 4.5, 4.0], patience=2, min_delta=0.5) == (
        3,
        Stop("step 3: none of the last 2 values is more than 0.5 below 5, the value at step 1"),
    )


def test_larger_is_better_in_the_mirror() -> None:
    assert first_stop([0.5, 0.6, 0.6, 0.55], ACCURACY, patience=2) == (
        4,
        Stop("step 4: none of the last 2 values is above 0.6, the value at step 2"),
    )


def test_with_a_patience_of_one_each_value_must_be_better() -> None:
    assert first_stop([5, 4, 4], patience=1) == (3, Stop("step 3: the last value is not below 4, the value at step 2"))


def test_before_grace_nobody_ends() -> None:
    found = first_stop([1.0] * 9, patience=2, grace=7)
    assert found is not None
    assert found[0] == 7


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=30), st.integers(1, 5), st.sampled_from([0.0, 0.5, 2.0]))
@settings(deadline=None)
def test_it_ends_where_the_best_has_not_moved_enough(values: list[float], patience: int, min_delta: float) -> None:
    found = first_stop(values, patience=patience, min_delta=min_delta)
    end = len(values) if found is None else found[0]
    record, at = values[0], 1
    for count, value in enumerate(values[:end], 1):
        if record - value > min_delta:
            record, at = value, count
        assert (count - at >= patience) == (found is not None and count == end)


@pytest.mark.parametrize("options", [{"min_delta": -1}, {"patience": 0}, {"resource": "epoch"}])
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"`{next(iter(options))}`"):
        Plateau.from_options(options, LOSS)
