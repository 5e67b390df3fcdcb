"""Reading a run's rows: tails and chunks of all its streams, merged by step.

Rows of equal step are one row and the last value wins. The rows are those of the last attempt; if that went on from a
checkpoint, the rows of earlier attempts below its first step come in front.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, select

from besom.common.json_numbers import dumps, number_word
from besom.common.spool_reader import Note, Row
from besom.engine.folding import to_number
from besom.engine.records import Attempt
from besom.store import runs
from besom.store.blocks import Block, BlockReader
from besom.store.columns import unpack_floats, unpack_json, unpack_steps
from besom.store.tables import attempt, chunk, key, storable, stream, tail
from besom.wire.runs import HistoryPage

_ATTEMPTS = (
    select(attempt.c.run_id, attempt.c.id, attempt.c.number, attempt.c.started)
    .add_columns(attempt.c.has_rows, attempt.c.base_step)
    .where(attempt.c.run_id.in_(bindparam("runs", expanding=True)))
    .order_by(attempt.c.run_id, attempt.c.number.desc())
)


@dataclass(frozen=True, slots=True)
class Segment:
    """The rows below a step (all: None) of one attempt."""

    attempt_id: int
    number: int
    started: float
    below: int | None


@dataclass(frozen=True, slots=True)
class _Block:
    """Rows that lie together: a tail blob, or the chunks of one compaction."""

    stream_id: int
    offset: int
    in_tail: bool
    step0: int
    step1: int
    segment: Segment


def segments(connection: Connection, run_id: int, newest: int, below: int | None = None) -> list[Segment]:
    """Which attempts' rows make the run's history, counted from attempt ``newest`` backwards.

    With ``below``, those that an attempt which goes on at that step finds in front of it.
    """
    return segments_of(connection, {run_id: newest}, below).get(run_id, [])


def segments_of(
    connection: Connection, newest: Mapping[int, int], below: int | None = None
) -> dict[int, list[Segment]]:
    """The same of many runs: their ids and the attempt of each from which to count backwards."""
    found: dict[int, list[Segment]] = {}
    begin_at = dict.fromkeys(newest, below)
    complete: set[int] = set()
    for row in connection.execute(_ATTEMPTS, {"runs": list(newest)}).all():
        run_id = row.run_id
        if row.number > newest[run_id] or run_id in complete:
            continue
        limit = begin_at[run_id]
        if not (row.has_rows or row.base_step is not None):
            # The last attempt counts, also before its first row; one that died without a row hides none before it.
            if limit is None:
                complete.add(run_id)
            continue
        found.setdefault(run_id, []).append(Segment(row.id, row.number, row.started, limit))
        if row.base_step is None:
            complete.add(run_id)
        else:
            begin_at[run_id] = row.base_step if limit is None else min(limit, row.base_step)
    return found


def page(
    connection: Connection,
    run_uid: str,
    from_step: int | None = None,
    limit: int = 1000,
    keys: Sequence[str] | None = None,
    attempt: int | None = None,
) -> HistoryPage:
    """At most ``limit`` merged rows from a step on; raises NotFound for a run or attempt that does not exist.

    With ``keys``, rows without any of them are left out. With ``attempt``, the rows are those of that attempt alone,
    whatever counts.
    """
    run = runs.get(connection, run_uid)
    if attempt is None:
        of = segments(connection, run.id, run.attempt)
    else:
        of = [_whole_attempt(runs.get_attempt(connection, run, attempt))]
    steps, merged = _merged(connection, of, from_step, limit + 1, keys)
    following = steps[limit] if len(steps) > limit else None
    return HistoryPage(rows=[merged[step] for step in steps[:limit]], next_step=following)


def _whole_attempt(which: Attempt) -> Segment:
    return Segment(which.id, which.number, which.started, None)


def all_rows(connection: Connection, run_id: int, newest: int) -> list[dict[str, Any]]:
    """The whole merged history of a run."""
    steps, merged = _merged(connection, segments(connection, run_id, newest), None, None, None)
    return [merged[step] for step in steps]


def values_before(connection: Connection, run_id: int, number: int, step: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """(step, values) of the rows that an attempt which goes on at ``step`` finds in front of it."""
    earlier = segments(connection, run_id, number - 1, below=step)
    steps, merged = _merged(connection, earlier, None, None, None)
    for at in steps:
        yield at, {name: value for name, value in merged[at].items() if name not in ("_step", "_timestamp", "_runtime")}


def _merged(
    connection: Connection,
    of: Sequence[Segment],
    from_step: int | None,
    most: int | None,
    keys: Sequence[str] | None,
) -> tuple[list[int], dict[int, dict[str, Any]]]:
    merged: dict[int, dict[str, Any]] = {}
    for block in _blocks(connection, of, from_step):
        if most is not None and len(merged) >= most and block.step0 > sorted(merged)[most - 1]:
            break
        for step, time, data in _rows(connection, block, keys):
            if (from_step is not None and step < from_step) or _hidden(step, block.segment):
                continue
            shown = {name: value for name, value in data.items() if keys is None or name in keys}
            if keys is None or shown:
                row = merged.setdefault(step, {"_step": step})
                row["_timestamp"] = time
                row["_runtime"] = max(0.0, time - block.segment.started)
                row.update(shown)
    return sorted(merged), merged


def _hidden(step: int, segment: Segment) -> bool:
    return segment.below is not None and step >= segment.below


def _blocks(connection: Connection, of: Sequence[Segment], from_step: int | None) -> list[_Block]:
    by_attempt = {segment.attempt_id: segment for segment in of}
    streams = {
        row.id: by_attempt[row.attempt_id]
        for row in connection.execute(
            select(stream.c.id, stream.c.attempt_id).where(
                stream.c.attempt_id.in_(list(by_attempt)), stream.c.kind == "history"
            )
        )
    }
    tails = select(tail.c.stream_id, tail.c.offset, tail.c.step0, tail.c.step1).where(tail.c.stream_id.in_(streams))
    # A compaction writes the times of its rows once, so these say which blocks there are.
    chunks = select(chunk.c.stream_id, chunk.c.offset, chunk.c.step0, chunk.c.step1).where(
        chunk.c.stream_id.in_(streams), chunk.c.form == "time"
    )
    found = [
        _Block(row.stream_id, row.offset, in_tail, row.step0, row.step1, streams[row.stream_id])
        for query, in_tail in ((chunks, False), (tails, True))
        for row in connection.execute(query)
        if (from_step is None or row.step1 >= from_step) and not _hidden(row.step0, streams[row.stream_id])
    ]
    return sorted(found, key=lambda block: (block.step0, block.segment.number, block.stream_id, block.offset))


def _rows(
    connection: Connection, block: _Block, keys: Sequence[str] | None
) -> Iterator[tuple[int, float, dict[str, Any]]]:
    if not block.in_tail:
        yield from _chunk_rows(connection, block, keys)
        return
    for record in tail_records(connection, block.stream_id, block.offset):
        if isinstance(record, Block):
            yield from _block_rows(record, keys)
        else:
            yield record.step, record.time, {name: shown_value(value) for name, value in record.data.items()}


def _block_rows(block: Block, keys: Sequence[str] | None) -> Iterator[tuple[int, float, dict[str, Any]]]:
    kept = [at for at, name in enumerate(block.keys) if keys is None or name in keys]
    names = [block.keys[at] for at in kept]
    values = zip(*(_words(block.values[:, at]) for at in kept), strict=True) if kept else iter([()] * len(block.steps))
    for step, time, row in zip(block.steps.tolist(), block.times.tolist(), values, strict=True):
        yield step, time, dict(zip(names, row, strict=True))


def _words(values: NDArray[Any]) -> list[Any]:
    """The numbers as readers give them: words where they are not finite."""
    if np.isfinite(values).all():
        return values.tolist()  # type: ignore[no-any-return]
    return [number_word(value) for value in values.tolist()]


def shown_value(value: Any) -> Any:
    """A logged value as readers give it: numbers are floats, words where they are not finite."""
    number = to_number(value)
    return json.loads(storable(dumps(value))) if number is None else number_word(number)


def tail_records(connection: Connection, stream_id: int, offset: int) -> Iterator[Block | Row]:
    """The rows in a tail blob."""
    query = (
        select(tail.c.data, stream.c.kinds)
        .join(stream, stream.c.id == tail.c.stream_id)
        .where(tail.c.stream_id == stream_id, tail.c.offset == offset)
    )
    row = connection.execute(query).one()
    reader = BlockReader({int(number): tuple(names) for number, names in row.kinds.items()}, started=True)
    for record in reader.blocks(row.data):
        if not isinstance(record, Note):
            yield record


def _chunk_rows(
    connection: Connection, block: _Block, keys: Sequence[str] | None
) -> Iterator[tuple[int, float, dict[str, Any]]]:
    query = (
        select(chunk.c.form, chunk.c.steps, chunk.c.vals, key.c.name)
        .join(key, key.c.id == chunk.c.key_id, isouter=True)
        .where(chunk.c.stream_id == block.stream_id, chunk.c.offset == block.offset)
    )
    if keys is not None:
        query = query.where((chunk.c.form == "time") | key.c.name.in_(keys))
    times: dict[int, float] = {}
    data: dict[int, dict[str, Any]] = {}
    for row in connection.execute(query.order_by(key.c.name)):
        steps = unpack_steps(row.steps).tolist()
        if row.form == "time":
            times.update(zip(steps, unpack_floats(row.form, row.vals).tolist(), strict=True))
            continue
        values = unpack_json(row.vals) if row.form == "json" else _words(unpack_floats(row.form, row.vals))
        for step, value in zip(steps, values, strict=True):
            data.setdefault(step, {})[row.name] = value
    for step, time in times.items():
        yield step, time, data.get(step, {})
