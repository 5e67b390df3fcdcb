from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besom.store import columns

STEPS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=50)


@given(STEPS)
def test_steps_come_back(steps: list[int]) -> None:
    assert columns.unpack_steps(columns.pack_steps(steps)) == steps


@given(st.lists(st.floats(), min_size=1, max_size=50))
def test_floats_come_back_bit_by_bit_but_for_the_kind_of_nan(values: list[float]) -> None:
    back = columns.unpack_values(*columns.pack_floats(values))
    assert [math.isnan(value) for value in back] == [math.isnan(value) for value in values]
    for value, again in zip(values, back, strict=True):
        assert math.isnan(value) or struct.pack("d", value) == struct.pack("d", again)


def test_what_fits_float32_takes_half() -> None:
    assert columns.pack_floats([0.5, math.nan, math.inf])[0] == "f4"
    assert columns.pack_floats([0.1])[0] == "f8"


def test_regular_steps_take_next_to_nothing() -> None:
    assert len(columns.pack_steps(list(range(0, 8192 * 5, 5)))) < 60


@given(st.lists(st.none() | st.booleans() | st.text() | st.dictionaries(st.text(), st.integers()), min_size=1))
def test_other_values_come_back(values: list[object]) -> None:
    assert columns.unpack_values("json", columns.pack_json(values)) == values


def test_the_coarse_level_has_the_extremes_of_every_bucket() -> None:
    values = [float(number) for number in range(300)]
    values[5] = math.nan
    assert columns.unpack_coarse(columns.pack_coarse(values)) == [(0.0, 127.0), (128.0, 255.0), (256.0, 299.0)]


@pytest.mark.parametrize("count", [1, 127, 128, 129])
def test_a_bucket_without_numbers_has_none(count: int) -> None:
    pairs = columns.unpack_coarse(columns.pack_coarse([math.nan] * count))
    assert len(pairs) == -(-count // columns.BUCKET)
    assert all(math.isnan(low) and math.isnan(high) for low, high in pairs)
