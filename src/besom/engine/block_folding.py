"""Many rows into the folds of their keys at once: what `Fold.take` does one by one, to the last bit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from besom.engine.folding import Fold


def take_block(folds: Sequence[Fold], steps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
    """Adds rows of numbers, ``values[row, key]``, to one fold a key."""
    if len(steps) == 0 or not folds:
        return
    rising = bool((steps[1:] > steps[:-1]).all())
    finite: list[bool] = np.logical_and.reduce(np.isfinite(values), axis=0).tolist()
    fast = [
        at
        for at, fold in enumerate(folds)
        if rising and finite[at] and (fold.last_step is None or fold.last_step < steps[0])
    ]
    if fast:
        _take_plain([folds[at] for at in fast], steps, values if len(fast) == len(folds) else values[:, fast])
    for at in set(range(len(folds))).difference(fast):
        for step, value in zip(steps.tolist(), values[:, at].tolist(), strict=True):
            folds[at].take(step, value)


def _take_plain(folds: Sequence[Fold], steps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
    """Finite values at steps that rise and are all new to the folds; the last row stays open."""
    for fold in folds:
        fold.close_open()
    if len(steps) > 1:
        _close_rows(folds, steps, values[:-1])
    last_step = int(steps[-1])
    for fold, value in zip(folds, values[-1].tolist(), strict=True):
        fold.last, fold.last_step, fold.is_number = value, last_step, True


def _close_rows(folds: Sequence[Fold], steps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
    keys = np.arange(len(folds))
    low_at, high_at = values.argmin(axis=0), values.argmax(axis=0)
    totals = np.array([fold.total for fold in folds])
    with np.errstate(over="ignore"):
        # Added up one after the other: the sum is the same wherever the bytes were cut.
        totals = np.add.accumulate(np.vstack([totals, values]), axis=0)[-1]
    columns = (
        totals,
        values[low_at, keys],
        steps[low_at],
        values[high_at, keys],
        steps[high_at],
        values[0],
        values[-1],
    )
    for fold, total, low, low_step, high, high_step, first, last in zip(
        folds, *(column.tolist() for column in columns), strict=True
    ):
        fold.n += len(values)
        fold.total, fold.last_finite, fold.nan_run = total, last, 0
        if fold.first is None:
            fold.first = first
        if fold.min is None or low < fold.min:
            fold.min, fold.min_step = low, low_step
        if fold.max is None or high > fold.max:
            fold.max, fold.max_step = high, high_step
