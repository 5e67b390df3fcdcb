from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from besom.store import columns

STEPS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=50)
LOW, HIGH = -(2**63), 2**63 - 1


@settings(deadline=None)
@given(STEPS)
def test_steps_come_back(steps: list[int]) -> None:
    assert columns.unpack_steps(columns.pack_steps(steps)).tolist() == steps


@settings(deadline=None)
@given(st.integers(LOW, HIGH), st.integers(LOW, HIGH), st.integers(2, 50))
def test_steps_that_are_equally_far_apart_come_back(first: int, apart: int, count: int) -> None:
    steps = [(first + at * apart - LOW) % 2**64 + LOW for at in range(count)]
    assert columns.unpack_steps(columns.pack_steps(steps)).tolist() == steps


@settings(deadline=None)
@given(st.lists(st.floats(), min_size=1, max_size=50))
def test_floats_come_back_bit_by_bit_but_for_the_kind_of_nan(values: list[float]) -> None:
    back = columns.unpack_floats(*columns.pack_floats(values)).tolist()
    assert [math.isnan(value) for value in back] == [math.isnan(value) for value in values]
    for value, again in zip(values, back, strict=True):
        assert math.isnan(value) or struct.pack("d", value) == struct.pack("d", again)


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=50))
def test_times_come_back_bit_by_bit(times: list[float]) -> None:
    back = columns.unpack_floats("time", columns.pack_times(times)).tolist()
    assert [struct.pack("d", time) for time in back] == [struct.pack("d", time) for time in times]


def test_what_fits_float32_takes_half() -> None:
    assert columns.pack_floats([0.5, math.nan, math.inf])[0] == "f4"
    assert columns.pack_floats([0.1])[0] == "f8"


def test_regular_steps_and_times_take_next_to_nothing() -> None:
    assert len(columns.pack_steps(range(0, 8192 * 5, 5))) < 30
    assert len(columns.pack_times([1.7e9 + 0.25 * row for row in range(8192)])) < 60


@settings(deadline=None)
@given(st.lists(st.none() | st.booleans() | st.text() | st.dictionaries(st.text(), st.integers()), min_size=1))
def test_other_values_come_back(values: list[object]) -> None:
    assert columns.unpack_json(columns.pack_json(values)) == values


def test_the_coarse_level_has_the_extremes_of_every_bucket() -> None:
    values = np.arange(1300, dtype="<f8")
    values[5] = math.nan
    packed = columns.pack_coarse(values)
    assert packed is not None
    low, high = columns.unpack_coarse(packed)
    assert (low.tolist()[:2], high.tolist()[:2], high.tolist()[-1]) == ([0.0, 128.0], [127.0, 255.0], 1299.0)


@pytest.mark.parametrize("count", [1024, 1151, 1152, 1153])
def test_a_bucket_without_numbers_has_none(count: int) -> None:
    packed = columns.pack_coarse(np.full(count, math.nan))
    assert packed is not None
    low, high = columns.unpack_coarse(packed)
    assert len(low) == len(high) == -(-count // columns.BUCKET)
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_a_short_column_has_no_coarse_level() -> None:
    assert columns.pack_coarse(np.zeros(columns.COARSE_FROM - 1)) is None
