from __future__ import annotations

import copy
import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from besom.engine.block_folding import take_block
from besom.engine.folding import Fold

VALUES = st.floats(-1e300, 1e300) | st.sampled_from([math.nan, math.inf, -0.0, 0.0])
ROWS = st.lists(st.tuples(st.integers(0, 2), VALUES, VALUES), min_size=1, max_size=12)


@settings(deadline=None)
@given(before=ROWS, rows=ROWS, start=st.integers(-3, 30))
def test_a_block_adds_up_as_its_rows_do(before: list, rows: list, start: int) -> None:  # type: ignore[type-arg]
    one_by_one = [Fold(), Fold()]
    step = 0
    for ahead, *values in before:
        step += ahead
        for fold, value in zip(one_by_one, values, strict=True):
            fold.take(step, value)
    at_once = copy.deepcopy(one_by_one)
    steps = (start + np.cumsum([ahead for ahead, *_ in rows])).astype("<i8")
    for at, (_, *values) in zip(steps.tolist(), rows, strict=True):
        for fold, value in zip(one_by_one, values, strict=True):
            fold.take(at, value)
    take_block(at_once, steps, np.array([values for _, *values in rows], dtype="<f8"))
    assert repr(at_once) == repr(one_by_one)
