"""Packing of numbers: float32 where that is exact, else float64; bytes shuffled; zstd level 3.

Steps and times are packed as differences, so that those of a regular run take next to nothing. Nothing is rounded.
"""

from __future__ import annotations

import json
import struct
import threading
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import zstandard
from numpy.typing import ArrayLike, NDArray

from besom.common.json_numbers import dumps
from besom.store.tables import storable

Form = Literal["f4", "f8", "json", "time"]
Floats = NDArray[np.float64]
Steps = NDArray[np.int64]

# Points of one bucket of the coarse level, and how long a column must be to have one.
BUCKET = 128
COARSE_FROM = 1024
_REGULAR = struct.Struct("<cIqq")


def _shuffle(array: NDArray[Any]) -> bytes:
    raw = np.ascontiguousarray(array).view(np.uint8).reshape(len(array), array.dtype.itemsize)
    return zstandard.compress(raw.T.tobytes(), 3)


# Making a decompressor costs more than using it, and threads cannot share one.
_mine = threading.local()


def _unpacked(data: bytes) -> bytes:
    if not hasattr(_mine, "decompressor"):
        _mine.decompressor = zstandard.ZstdDecompressor()
    unpacked: bytes = _mine.decompressor.decompress(data)
    return unpacked


def _unshuffle(data: bytes, kind: str) -> NDArray[Any]:
    raw = np.frombuffer(_unpacked(data), dtype=np.uint8)
    array: NDArray[Any] = raw.reshape(int(kind[-1]), -1).T.copy().view(kind).reshape(-1)
    return array


def _differences(array: Steps) -> Steps:
    with np.errstate(over="ignore"):
        return np.diff(array, prepend=np.int64(0))


def _sums(differences: NDArray[Any]) -> Steps:
    with np.errstate(over="ignore"):
        return np.cumsum(differences, dtype="<i8")


def pack_steps(steps: ArrayLike) -> bytes:
    """Packs steps, in any order; those that are equally far apart take 21 bytes."""
    array = np.asarray(steps, dtype="<i8")
    differences = _differences(array)
    if len(array) > 1 and (differences[1:] == differences[1]).all():
        return _REGULAR.pack(b"=", len(array), int(array[0]), int(differences[1]))
    return b"d" + _shuffle(differences)


def unpack_steps(data: bytes) -> Steps:
    """The steps again; not to be changed."""
    return _regular(data) if data[:1] == b"=" else _sums(_unshuffle(data[1:], "<i8"))


# All runs of a sweep log at the same steps.
@lru_cache(maxsize=64)
def _regular(data: bytes) -> Steps:
    _, count, first, apart = _REGULAR.unpack(data)
    with np.errstate(over="ignore"):
        steps: Steps = np.int64(first) + np.int64(apart) * np.arange(count, dtype="<i8")
    steps.flags.writeable = False
    return steps


def pack_floats(values: ArrayLike) -> tuple[Form, bytes]:
    """Packs floats, NaN and ±∞ included; nothing is lost."""
    wide = np.asarray(values, dtype="<f8")
    with np.errstate(over="ignore", invalid="ignore"):
        narrow = wide.astype("<f4")
    if np.array_equal(narrow.astype("<f8"), wide, equal_nan=True):
        return "f4", _shuffle(narrow)
    return "f8", _shuffle(wide)


def unpack_floats(form: str, data: bytes) -> NDArray[Any]:
    """The floats of `pack_floats` (as wide as they were packed) or the times of `pack_times` again."""
    if form == "time":
        return _sums(_unshuffle(data, "<i8")).view("<f8")
    return _unshuffle(data, f"<{form}")


def pack_times(values: ArrayLike) -> bytes:
    """Packs times of rows: as whole numbers their bits lie as far apart as the times do."""
    return _shuffle(_differences(np.asarray(values, dtype="<f8").view("<i8")))


def pack_json(values: list[Any]) -> bytes:
    """Packs any JSON values."""
    return zstandard.compress(storable(dumps(values)).encode(), 3)


def unpack_json(data: bytes) -> list[Any]:
    """The values again."""
    values: list[Any] = json.loads(_unpacked(data))
    return values


def pack_coarse(values: Floats) -> bytes | None:
    """Smallest and largest of every 128 points, NaN where a bucket has no number; None for a short column."""
    if len(values) < COARSE_FROM:
        return None
    starts = np.arange(0, len(values), BUCKET)
    pairs = np.concatenate([np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)])
    form, packed = pack_floats(pairs)
    return form.encode() + packed


def unpack_coarse(data: bytes) -> tuple[NDArray[Any], NDArray[Any]]:
    """The smallest and the largest values of every 128 points."""
    pairs = unpack_floats(data[:2].decode(), data[2:])
    return pairs[: len(pairs) // 2], pairs[len(pairs) // 2 :]
