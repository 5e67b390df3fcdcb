"""Making columns of tail blobs: one chunk a key, its steps beside it, and a coarse level of smallest and largest.

Done when a stream's tails are long, and for what is left of an attempt that has ended; then by the server's timer, a
few streams at a time, so that no hand-out waits for it. A short tail stays as it is: its columns would take more.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, delete, func, insert, literal_column, select, update

from besom.common.spool_reader import Row
from besom.engine.folding import to_number
from besom.store import dialects, projects
from besom.store.blocks import Block, BlockReader
from besom.store.columns import Floats, Steps, pack_coarse, pack_floats, pack_json, pack_steps, pack_times
from besom.store.prepared import Prepared
from besom.store.tables import attempt, chunk, run, stream, tail

# A tail is long at so many rows; at fewer, but at least FEW_ROWS, where rows are wide; and in any case at MOST_BYTES.
TAIL_ROWS = 4096
FEW_ROWS = 128
TAIL_BYTES = 1024 * 1024
MOST_BYTES = 8 * 1024 * 1024
# Each column costs a row: of tails that bring ever new names, some are packed at a time.
MANY_COLUMNS = 500
# A tail that is shorter when its attempt ends stays a tail.
SHORT_ROWS = 32

_KINDS = select(stream.c.kinds).where(stream.c.id == bindparam("which"))
_TAILS = select(tail.c.offset, tail.c.data).where(tail.c.stream_id == bindparam("which")).order_by(tail.c.offset)
_DROP = delete(tail).where(tail.c.stream_id == bindparam("which"), tail.c.offset <= bindparam("last"))
_LEFT = select(func.coalesce(func.sum(tail.c.n), 0)).where(tail.c.stream_id == bindparam("which"))
_DONE = (
    update(stream).where(stream.c.id == bindparam("which")).values(tail_rows=bindparam("left"), is_due=bindparam("due"))
)
_MARK = Prepared(
    update(stream)
    .where(stream.c.attempt_id == bindparam("which"), stream.c.tail_rows >= bindparam("least"))
    .values(is_due=literal_column("1"))
)
_DUE = (
    select(stream.c.id, run.c.project_id)
    .join(attempt, attempt.c.id == stream.c.attempt_id)
    .join(run, run.c.id == attempt.c.run_id)
    .where(stream.c.is_due == 1)
    .limit(1)
)


def is_long(tail_rows: int, added_rows: int, added_bytes: int) -> bool:
    """True if a tail of so many rows should become columns; what was added last tells how wide its rows are."""
    if tail_rows == 0 or added_rows == 0:
        return False
    a_row = max(1, added_bytes // added_rows)
    wanted = max(FEW_ROWS, min(TAIL_ROWS, TAIL_BYTES // a_row))
    return tail_rows >= min(wanted, max(1, MOST_BYTES // a_row), TAIL_ROWS)


def leave(connection: Connection, attempt_id: int) -> None:
    """Marks the tails of an attempt that has ended, for `compact_due`."""
    _MARK.execute(connection, which=attempt_id, least=min(SHORT_ROWS, TAIL_ROWS))


def compact_due(connection: Connection) -> bool:
    """Makes columns of one tail that was left, or gives back what such tails took on disk; False: nothing is left.

    It takes a few milliseconds: the timer asks again and again until there is nothing.
    """
    row = connection.execute(_DUE).first()
    if row is None:
        return dialects.give_back_pages(connection)
    compact(connection, row.project_id, row.id)
    return True


class _Column:
    """Steps and values of one key, in the order in which they were logged; of equal steps the last counts."""

    def __init__(self) -> None:
        self._steps: list[Steps] = []
        self._values: list[Floats] = []
        self._loose: tuple[list[int], list[float]] = ([], [])
        self._others: dict[int, Any] = {}
        self._count = 0

    def add_many(self, steps: Steps, values: Floats) -> None:
        self._gather()
        self._steps.append(steps)
        self._values.append(values)
        self._count += len(steps)

    def add(self, step: int, value: Any) -> None:
        number = to_number(value)
        if number is None:
            self._others[self._count] = value
        self._loose[0].append(step)
        self._loose[1].append(math.nan if number is None else number)
        self._count += 1

    def _gather(self) -> None:
        steps, values = self._loose
        if steps:
            self._steps.append(np.array(steps, dtype="<i8"))
            self._values.append(np.array(values, dtype="<f8"))
            self._loose = ([], [])

    def numbers_and_others(self) -> tuple[Steps, Floats, Steps, list[Any]]:
        """Steps and values of what is a number, and of what is not."""
        self._gather()
        steps, values = np.concatenate(self._steps), np.concatenate(self._values)
        kept = np.append(steps[1:] != steps[:-1], True)
        if not self._others:
            return (steps, values, steps[:0], []) if kept.all() else (steps[kept], values[kept], steps[:0], [])
        is_number: NDArray[np.bool_] = np.ones(len(steps), dtype=bool)
        is_number[list(self._others)] = False
        others = [value for at, value in self._others.items() if kept[at]]
        return steps[kept & is_number], values[kept & is_number], steps[kept & ~is_number], others


class _Columns:
    """The columns of some rows: their times, and the values of each key."""

    def __init__(self) -> None:
        self.times = _Column()
        self.of: dict[str, _Column] = {}

    def take(self, record: Block | Row) -> None:
        if isinstance(record, Block):
            self.times.add_many(record.steps, record.times)
            for name, values in zip(record.keys, np.ascontiguousarray(record.values.T), strict=True):
                self._column(name).add_many(record.steps, values)
        else:
            self.times.add(record.step, record.time)
            for name, value in record.data.items():
                self._column(name).add(record.step, value)

    def _column(self, name: str) -> _Column:
        found = self.of.get(name)
        if found is None:
            found = self.of[name] = _Column()
        return found


def compact(connection: Connection, project_id: int, stream_id: int) -> None:
    """Makes columns of a stream's tails, which are then gone; what many names leave for later is due."""
    which = {"which": stream_id}
    kinds = connection.execute(_KINDS, which).scalar_one()
    reader = BlockReader({int(number): tuple(names) for number, names in kinds.items()}, started=True)
    columns = _Columns()
    first = last = None
    with connection.execute(_TAILS, which) as blobs:
        for blob in blobs:
            before = len(columns.of)
            for record in reader.blocks(blob.data):
                if isinstance(record, Block | Row):
                    columns.take(record)
            # Not the first: where all tails have the same many names, each would be packed by itself.
            grew = first is not None and len(columns.of) > before
            first, last = blob.offset if first is None else first, blob.offset
            if grew and len(columns.of) >= MANY_COLUMNS:
                break
    left = 0
    if first is not None:
        _store(connection, project_id, {"stream_id": stream_id, "offset": first}, columns)
        connection.execute(_DROP, {**which, "last": last})
        left = connection.execute(_LEFT, which).scalar_one()
    connection.execute(_DONE, {**which, "left": left, "due": int(left > 0)})


def _store(connection: Connection, project_id: int, place: dict[str, int], columns: _Columns) -> None:
    ids = projects.key_ids(connection, project_id, sorted(columns.of))
    steps, times, _, _ = columns.times.numbers_and_others()
    packed = _PackedSteps()
    chunks = [{**place, "key_id": None, "form": "time", **_NO_EXTREMES, **packed.of(steps), "vals": pack_times(times)}]
    for name, column in columns.of.items():
        steps, values, other_steps, others = column.numbers_and_others()
        mine = {**place, "key_id": ids[name]}
        if len(steps):
            form, vals = pack_floats(values)
            chunks.append({**mine, "form": form, **_extremes(values), **packed.of(steps), "vals": vals})
        if others:
            vals = pack_json(others)
            chunks.append({**mine, "form": "json", **_NO_EXTREMES, **packed.of(other_steps), "vals": vals})
    connection.execute(insert(chunk), chunks)


class _PackedSteps:
    """What chunks say of their steps, made once for all columns of the same steps."""

    def __init__(self) -> None:
        self._known: dict[bytes, dict[str, Any]] = {}

    def of(self, steps: Steps) -> dict[str, Any]:
        raw = steps.tobytes()
        if raw not in self._known:
            ends = {"step0": int(steps.min()), "step1": int(steps.max())}
            self._known[raw] = {"n": len(steps), **ends, "steps": pack_steps(steps)}
        return self._known[raw]


_NO_EXTREMES = {"min": None, "max": None, "coarse": None}


def _extremes(values: Floats) -> dict[str, Any]:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (None, None)
    return {"min": low, "max": high, "coarse": pack_coarse(values)}
