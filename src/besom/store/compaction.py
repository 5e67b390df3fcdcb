"""Making columns of tail blobs: one chunk a key, its steps beside it, and a coarse level of smallest and largest.

Done when a stream's tails hold `TAIL_ROWS` rows and when its attempt ends.
"""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from besom.common.spool_format import Reader, Row
from besom.engine.folding import to_number
from besom.store import projects, streams
from besom.store.columns import pack_coarse, pack_floats, pack_json, pack_steps, pack_times
from besom.store.tables import chunk, coarse, stream, tail

TAIL_ROWS = 8192


class _Column:
    """Steps and values of one key; of equal steps the last counts."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.values: list[Any] = []

    def add(self, step: int, value: Any) -> None:
        if self.steps and self.steps[-1] == step:
            self.values[-1] = value
        else:
            self.steps.append(step)
            self.values.append(value)

    def forget(self, step: int) -> None:
        if self.steps and self.steps[-1] == step:
            self.steps.pop()
            self.values.pop()


class _Columns:
    """The columns of some rows: times, numbers and other values by key."""

    def __init__(self) -> None:
        self.times = _Column()
        self.numbers: dict[str, _Column] = {}
        self.others: dict[str, _Column] = {}

    def add(self, row: Row) -> None:
        self.times.add(row.step, row.time)
        for name, value in row.data.items():
            number = to_number(value)
            mine, other = (self.others, self.numbers) if number is None else (self.numbers, self.others)
            mine.setdefault(name, _Column()).add(row.step, value if number is None else number)
            if name in other:
                other[name].forget(row.step)


def compact_attempt(connection: Connection, project_id: int, attempt_id: int) -> None:
    """Makes columns of everything that an attempt has in tails."""
    for kind in ("history", "system"):
        for which in streams.of_attempt(connection, attempt_id, kind):
            compact(connection, project_id, which.id)


def compact(connection: Connection, project_id: int, stream_id: int) -> None:
    """Makes columns of a stream's tails, which are then gone."""
    kinds = connection.execute(select(stream.c.kinds).where(stream.c.id == stream_id)).scalar_one()
    reader = Reader({int(number): tuple(names) for number, names in kinds.items()}, started=True)
    columns = _Columns()
    offset: int | None = None
    query = select(tail.c.offset, tail.c.data).where(tail.c.stream_id == stream_id).order_by(tail.c.offset)
    for blob in connection.execute(query):
        offset = blob.offset if offset is None else offset
        for row in streams.rows_in(reader, blob.data):
            columns.add(row)
    if offset is None:
        return
    _store(connection, project_id, stream_id, offset, columns)
    connection.execute(delete(tail).where(tail.c.stream_id == stream_id))
    connection.execute(update(stream).where(stream.c.id == stream_id).values(tail_rows=0))


def _store(connection: Connection, project_id: int, stream_id: int, offset: int, columns: _Columns) -> None:
    ids = projects.key_ids(connection, project_id, sorted({*columns.numbers, *columns.others}))
    place = {"stream_id": stream_id, "offset": offset}
    chunks = [_chunk(columns.times, "time", pack_times(columns.times.values), key_id=None, **place)]
    levels = []
    for name, column in columns.numbers.items():
        if not column.steps:
            continue
        form, packed = pack_floats(column.values)
        chunks.append(_chunk(column, form, packed, key_id=ids[name], **place))
        data = pack_coarse(column.values)
        levels.append({**place, "key_id": ids[name], "level": 1, "n": len(column.steps), "data": data})
    for name, column in columns.others.items():
        if column.steps:
            chunks.append(_chunk(column, "json", pack_json(column.values), key_id=ids[name], **place))
    connection.execute(insert(chunk), chunks)
    if levels:
        connection.execute(insert(coarse), levels)


def _chunk(column: _Column, form: str, packed: bytes, **place: Any) -> dict[str, Any]:
    finite = [value for value in column.values if isinstance(value, float) and math.isfinite(value)]
    return {
        **place,
        "form": form,
        "n": len(column.steps),
        "step0": min(column.steps),
        "step1": max(column.steps),
        "min": min(finite, default=None),
        "max": max(finite, default=None),
        "steps": pack_steps(column.steps),
        "vals": packed,
    }
