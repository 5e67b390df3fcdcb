"""Streams of bytes by offset: each byte is taken once, whatever is sent twice.

A stream belongs to an attempt and a writer. Of spools, the unfinished record at the end of a piece is kept beside the
stream; whole records lie in tail blobs until `compaction` makes columns of them. Console bytes are kept as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import zstandard
from sqlalchemy import Connection, insert, select, update

from besom.common.spool_format import HEADER, Note, Reader, Row, SpoolError
from besom.store.tables import attempt, console, run, storable, stream, tail

KINDS = ("history", "console", "system")


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream and what its reader must remember."""

    id: int
    next_offset: int
    kinds: dict[int, tuple[str, ...]]
    rest: bytes
    begun: bool
    broken: str | None
    tail_rows: int


@dataclass(frozen=True, slots=True)
class Piece:
    """What some bytes of a spool have brought: whole records, their bytes, and the reader's state after them."""

    records: list[Row | Note]
    at: int
    whole: bytes
    next_offset: int
    reader: Reader
    broken: str | None


def next_offset(connection: Connection, run_uid: str, number: int, writer: str, kind: str) -> int:
    """The next byte that is wanted of a stream; 0 for one that has not begun."""
    query = (
        select(stream.c.next_offset)
        .join(attempt, attempt.c.id == stream.c.attempt_id)
        .join(run, run.c.id == attempt.c.run_id)
        .where(run.c.uid == run_uid, attempt.c.number == number, stream.c.writer == writer, stream.c.kind == kind)
    )
    return connection.execute(query).scalar() or 0


def find(connection: Connection, attempt_id: int, writer: str, kind: str) -> Stream | None:
    """The stream of an attempt and writer, None if it has not begun."""
    query = select(stream).where(stream.c.attempt_id == attempt_id, stream.c.writer == writer, stream.c.kind == kind)
    row = connection.execute(query).first()
    return None if row is None else _record(row)


def _record(row: Any) -> Stream:
    kinds = {int(number): tuple(keys) for number, keys in row.kinds.items()}
    return Stream(row.id, row.next_offset, kinds, row.rest, bool(row.begun), row.broken, row.tail_rows)


def get_or_make(connection: Connection, attempt_id: int, writer: str, kind: str) -> Stream:
    """The stream of an attempt and writer."""
    found = find(connection, attempt_id, writer, kind)
    if found is not None:
        return found
    row = {"attempt_id": attempt_id, "writer": writer, "kind": kind, "kinds": {}, "rest": b""}
    stream_id = connection.execute(insert(stream).values(row).returning(stream.c.id)).scalar_one()
    return Stream(stream_id, 0, {}, b"", False, None, 0)


def of_attempt(connection: Connection, attempt_id: int, kind: str) -> list[Stream]:
    """All streams of a kind, oldest first."""
    query = select(stream).where(stream.c.attempt_id == attempt_id, stream.c.kind == kind).order_by(stream.c.id)
    return [_record(row) for row in connection.execute(query)]


def read_piece(which: Stream, data: bytes) -> Piece:
    """Reads what ``data`` makes whole. Bytes that are no spool end the reading; what was good before them stays."""
    reader = Reader(which.kinds, which.rest, started=which.begun)
    records: list[Row | Note] = []
    broken: str | None = None
    try:
        records.extend(_with_storable_names(record) for record in reader.feed(data))
    except SpoolError as error:
        broken = str(error)
    renamed = [number for number, keys in which.kinds.items() if reader.kinds[number] != keys]
    if renamed:
        broken = f"kind {renamed[0]} was given other names in the middle of the stream"
        records, reader = [], Reader(which.kinds, which.rest + data, started=which.begun)
    gathered = which.rest + data
    used = len(gathered) - len(reader.rest)
    header = len(HEADER) if reader.started and not which.begun else 0
    start = which.next_offset - len(which.rest)
    if broken is None:
        offset = which.next_offset + len(data)
    else:
        reader.rest = b""
        offset = max(which.next_offset, start + used)
    return Piece(records, start + header, gathered[header:used], offset, reader, broken)


def rows_in(reader: Reader, whole: bytes) -> Iterator[Row]:
    """The rows in the bytes of a tail."""
    for record in reader.feed(whole):
        if isinstance(record, Row):
            yield _with_storable_names(record)


R = TypeVar("R", Row, Note, Row | Note)


def _with_storable_names(record: R) -> R:
    if isinstance(record, Row) and not _are_storable(tuple(record.data)):
        return Row(record.step, record.time, {storable(name): value for name, value in record.data.items()})
    return record


# A run logs the same names over and over.
@lru_cache(maxsize=1024)
def _are_storable(names: tuple[str, ...]) -> bool:
    return all(storable(name) == name for name in names)


def keep_piece(connection: Connection, which: Stream, piece: Piece) -> int:
    """Stores a piece and returns how many rows now lie in tails."""
    steps = [record.step for record in piece.records if isinstance(record, Row)]
    if steps:
        connection.execute(
            insert(tail).values(
                stream_id=which.id, offset=piece.at, n=len(steps), step0=min(steps), step1=max(steps), data=piece.whole
            )
        )
    values: dict[str, Any] = {
        "next_offset": piece.next_offset,
        "rest": piece.reader.rest,
        "begun": int(piece.reader.started),
        "broken": piece.broken,
        "tail_rows": which.tail_rows + len(steps),
    }
    if piece.reader.kinds != which.kinds:
        values["kinds"] = {str(number): list(keys) for number, keys in piece.reader.kinds.items()}
    connection.execute(update(stream).where(stream.c.id == which.id).values(**values))
    return which.tail_rows + len(steps)


def keep_console(connection: Connection, which: Stream, data: bytes) -> int:
    """Stores console bytes and returns the next offset."""
    if data:
        connection.execute(
            insert(console).values(
                stream_id=which.id, offset=which.next_offset, n=len(data), data=zstandard.compress(data, 3)
            )
        )
        connection.execute(
            update(stream).where(stream.c.id == which.id).values(next_offset=which.next_offset + len(data))
        )
    return which.next_offset + len(data)
