"""Reading a spool's bytes by the block: rows of one kind that lie together become arrays, not one dict a row."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Generator, Iterator
from functools import lru_cache
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from besom.common.spool_reader import Note, Reader, Row
from besom.store.columns import Floats, Steps
from besom.store.tables import storable

# PostgreSQL keeps no index of longer names.
MOST_NAME_BYTES = 2000
_KEPT_NAME_BYTES = 1900
# Fewer rows than this are read faster one by one.
_LEAST = 8
# Rows of one block: what is made of it at a time is bounded.
_MOST = 16_384


class Block(NamedTuple):
    """Rows of the same keys, as logged: steps, times (seconds since 1970) and values, one row of the array a row."""

    keys: tuple[str, ...]
    steps: Steps
    times: Floats
    values: Floats

    def rows(self) -> Iterator[Row]:
        """The same, row by row."""
        for step, time, values in zip(self.steps.tolist(), self.times.tolist(), self.values.tolist(), strict=True):
            yield Row(step, time, dict(zip(self.keys, values, strict=True)))


class BlockReader(Reader):
    """A `Reader` that gives rows of one kind as a `Block` where there are several.

    ``shortened`` is the first name that was too long to keep, as it is kept.
    """

    shortened: str | None = None

    def blocks(self, piece: bytes) -> Generator[Block | Row | Note, None, None]:
        """What is whole after ``piece``, names made storable; raises SpoolError on bytes that cannot be a spool.

        Closed before its end, it leaves what follows the last record in ``rest``.
        """
        with contextlib.closing(self.feed(piece)) as records:
            for record in records:
                yield self._with_storable_names(cast(Block | Row | Note, record))

    def _with_storable_names(self, record: Block | Row | Note) -> Block | Row | Note:
        if isinstance(record, Note):
            return record
        keys = record.keys if isinstance(record, Block) else tuple(record.data)
        if _are_storable(keys):
            return record
        kept = tuple(map(storable_name, keys))
        whole = set(map(storable, keys))
        self.shortened = self.shortened or next((name for name in kept if name not in whole), None)
        if isinstance(record, Block):
            return record._replace(keys=kept)
        return record._replace(data=dict(zip(kept, record.data.values(), strict=True)))

    def _record(self, data: bytes, at: int) -> tuple[Any, int] | None:
        kind = int.from_bytes(data[at : at + 2], "little")
        keys = self.kinds.get(kind)
        if keys is None:
            return super()._record(data, at)
        layout = _layout(len(keys))
        size = layout.itemsize
        available = min((len(data) - at) // size, _MOST)
        ahead = at + (_LEAST - 1) * size
        if available < _LEAST or data[ahead : ahead + 2] != data[at : at + 2] or not _are_distinct(keys):
            return super()._record(data, at)
        rows: NDArray[Any] = np.frombuffer(data, dtype=layout, count=available, offset=at)
        others = np.flatnonzero(rows["kind"] != kind)
        rows = rows[: others[0]] if len(others) else rows
        values = rows["values"].reshape(len(rows), len(keys))
        return Block(keys, rows["step"], rows["time"], values), at + len(rows) * size


@lru_cache(maxsize=256)
def _layout(count: int) -> np.dtype[Any]:
    return np.dtype([("kind", "<u2"), ("step", "<i8"), ("time", "<f8"), ("values", "<f8", (count,))])


def storable_name(name: str) -> str:
    """The name as the databases keep it: one that is too long ends with a digest of its whole."""
    kept = storable(name)
    raw = kept.encode()
    if len(raw) <= MOST_NAME_BYTES:
        return kept
    return f"{raw[:_KEPT_NAME_BYTES].decode('utf-8', 'ignore')}…{hashlib.sha256(raw).hexdigest()[:16]}"


def _are_storable(names: tuple[str, ...]) -> bool:
    joined = "".join(names)
    return storable(joined) == joined and all(len(name) <= MOST_NAME_BYTES // 4 for name in names)


def _are_distinct(names: tuple[str, ...]) -> bool:
    """False where two names of a row are one in the database: then the last value counts, row by row."""
    return len(set(names if _are_storable(names) else map(storable_name, names))) == len(names)
