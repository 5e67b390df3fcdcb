from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from besom.stopping.ladder import HIGHEST, Ladder, by_factor, down_by_factor, each_value, often


@given(
    rungs=st.lists(st.integers(1, 200), min_size=1, unique=True).map(sorted),
    position=st.floats(-10, 300) | st.integers(-10, 300),
)
@settings(deadline=None)
def test_the_highest_rung_passed(rungs: list[int], position: float) -> None:
    passed = [rung for rung in rungs if rung <= position]
    assert Ladder(tuple(rungs)).at(position) == (passed[-1] if passed else None)


@given(first=st.integers(0, 50), count=st.integers(0, 10**6))
def test_a_rung_at_each_value(first: int, count: int) -> None:
    assert each_value(first).at(count) == (count if count >= max(first, 1) else None)


def test_what_is_no_number_is_at_no_rung() -> None:
    assert Ladder((1, 3)).at(float("nan")) is None


def test_rungs_by_factor_rise_as_far_as_a_run_can_reach() -> None:
    assert by_factor(2, 1.5)[:5] == [2, 3, 4, 6, 10]
    assert len(by_factor(1, 3)) < 40
    assert down_by_factor(27, 3, 9) == [1, 3, 9]


@given(first=st.integers(1, 1000), every=st.integers(1, 1000))
@settings(deadline=None, max_examples=30)
def test_often_is_dense_at_first_and_a_fifth_apart_later(first: int, every: int) -> None:
    rungs = often(first, every)
    gaps = [following - one for one, following in pairwise(rungs)]
    assert (rungs[0], min(gaps) >= every) == (first, True)
    assert all(gap == every or gap <= one / 5 for gap, one in zip(gaps, rungs, strict=False))
    assert rungs[-1] >= HIGHEST


def test_the_first_looks_of_often() -> None:
    assert often(1, 1)[:14] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 19]


@pytest.mark.parametrize(
    ("ladder", "told"),
    [
        (Ladder((3, 9, 27, 81, 243)), "at 3, 9, 27, 81, … values of loss"),
        (Ladder((3, 9)), "at 3, 9 values of loss"),
        (Ladder((1, 3), "epoch"), "at epoch 1, 3"),
        (each_value(0), "at each value of loss"),
        (each_value(5), "at each value of loss from number 5 on"),
    ],
)
def test_rungs_are_told(ladder: Ladder, told: str) -> None:
    assert ladder.explain("loss") == told


def test_a_place_has_the_name_of_what_is_measured() -> None:
    assert (Ladder((9,)).place(9), Ladder((9,), "epoch").place(9)) == ("step 9", "epoch 9")
    assert (Ladder((9,)).track, Ladder((9,), "count").track) == ("count", "key count")
