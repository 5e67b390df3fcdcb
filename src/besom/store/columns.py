"""Packing of numbers: float32 where that is exact, else float64; bytes shuffled; zstd level 3.

Steps are packed as differences: those of a regular run take about 20 bytes.
"""

from __future__ import annotations

import json
from typing import Any, Literal

import numpy as np
import zstandard
from numpy.typing import NDArray

from besom.common.json_numbers import dumps
from besom.store.tables import storable

Form = Literal["f4", "f8", "json", "time"]
# Points of one bucket of the coarse level.
BUCKET = 128


def _shuffle(array: NDArray[Any]) -> bytes:
    raw = np.ascontiguousarray(array).view(np.uint8).reshape(len(array), array.dtype.itemsize)
    return zstandard.compress(raw.T.tobytes(), 3)


def _unshuffle(data: bytes, kind: str) -> NDArray[Any]:
    raw = np.frombuffer(zstandard.decompress(data), dtype=np.uint8)
    size = np.dtype(kind).itemsize
    return np.ascontiguousarray(raw.reshape(size, -1).T).view(kind).reshape(-1)


def pack_steps(steps: list[int]) -> bytes:
    """Packs steps, in any order."""
    array = np.array(steps, dtype="<i8")
    with np.errstate(over="ignore"):
        return _shuffle(np.diff(array, prepend=np.int64(0)))


def unpack_steps(data: bytes) -> list[int]:
    """The steps again."""
    with np.errstate(over="ignore"):
        steps: list[int] = np.cumsum(_unshuffle(data, "<i8"), dtype="<i8").tolist()
    return steps


def pack_floats(values: list[float]) -> tuple[Form, bytes]:
    """Packs floats, NaN and ±∞ included; nothing is lost."""
    wide = np.array(values, dtype="<f8")
    with np.errstate(over="ignore", invalid="ignore"):
        narrow = wide.astype("<f4")
    if np.array_equal(narrow.astype("<f8"), wide, equal_nan=True):
        return "f4", _shuffle(narrow)
    return "f8", _shuffle(wide)


def pack_times(values: list[float]) -> bytes:
    """Packs times of rows."""
    return _shuffle(np.array(values, dtype="<f8"))


def pack_json(values: list[Any]) -> bytes:
    """Packs any JSON values."""
    return zstandard.compress(storable(dumps(values)).encode(), 3)


def unpack_values(form: Form, data: bytes) -> list[Any]:
    """The values again."""
    if form == "json":
        values: list[Any] = json.loads(zstandard.decompress(data))
        return values
    unpacked: list[Any] = _unshuffle(data, "<f4" if form == "f4" else "<f8").astype("<f8").tolist()
    return unpacked


def pack_coarse(values: list[float]) -> bytes:
    """Smallest and largest value of every 128 points; NaN where a bucket has no number."""
    array = np.array(values, dtype="<f8")
    starts = np.arange(0, len(array), BUCKET)
    low = np.fmin.reduceat(array, starts)
    high = np.fmax.reduceat(array, starts)
    return _shuffle(np.stack([low, high], axis=1).reshape(-1).astype("<f8"))


def unpack_coarse(data: bytes) -> list[tuple[float, float]]:
    """(smallest, largest) of every 128 points."""
    pairs = _unshuffle(data, "<f8").reshape(-1, 2)
    return [(low, high) for low, high in pairs.tolist()]
