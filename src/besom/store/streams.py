"""Streams of bytes by offset: each byte is taken once, whatever is sent twice.

A stream belongs to an attempt and a writer. Of spools, the unfinished record at the end of a piece is kept beside the
stream; whole records lie in tail blobs until `compaction` makes columns of them. Console bytes are kept as they are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import zstandard
from sqlalchemy import Connection, bindparam, insert, select

from besom.common.spool_format import HEADER, SpoolError
from besom.common.spool_reader import Note, Row
from besom.store.blocks import Block, BlockReader
from besom.store.prepared import Prepared, change
from besom.store.tables import attempt, console, run, stream, tail

KINDS = ("history", "console", "system")
# Each new name costs rows in two tables: a piece is taken up to the row with which it has brought so many.
MANY_NAMES = 300

# Every append needs these: built once.
_STREAM = [stream.c[name] for name in ("id", "next_offset", "kinds", "rest", "begun", "broken", "tail_rows")]
_FIND = Prepared(
    select(*_STREAM).where(
        stream.c.attempt_id == bindparam("of"), stream.c.writer == bindparam("by"), stream.c.kind == bindparam("what")
    )
)
_ADD = Prepared(insert(stream).returning(stream.c.id), ["attempt_id", "writer", "kind", "kinds", "rest"])
_ADD_TAIL = Prepared(insert(tail), ["stream_id", "offset", "n", "step0", "step1", "data"])
_ADD_CONSOLE = Prepared(insert(console), ["stream_id", "offset", "n", "data"])


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

    records: list[Block | Row | Note]
    at: int
    whole: bytes
    next_offset: int
    reader: BlockReader
    broken: str | None

    def rows(self) -> int:
        """How many rows there are."""
        return sum(
            len(record.steps) if isinstance(record, Block) else isinstance(record, Row) for record in self.records
        )


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
    row = _FIND.first(connection, of=attempt_id, by=writer, what=kind)
    return None if row is None else _record(row)


def _record(row: Sequence[Any]) -> Stream:
    """A stream from its columns, in the order of `_STREAM`."""
    stream_id, offset, kinds, rest, begun, broken, tail_rows = row
    named = {int(number): tuple(keys) for number, keys in kinds.items()}
    return Stream(stream_id, offset, named, rest, bool(begun), broken, tail_rows)


def get_or_make(connection: Connection, attempt_id: int, writer: str, kind: str) -> Stream:
    """The stream of an attempt and writer."""
    found = find(connection, attempt_id, writer, kind)
    if found is not None:
        return found
    stream_id = _ADD.value(connection, attempt_id=attempt_id, writer=writer, kind=kind, kinds={}, rest=b"")
    return Stream(stream_id, 0, {}, b"", False, None, 0)


def of_attempt(connection: Connection, attempt_id: int, kind: str) -> list[Stream]:
    """All streams of a kind, oldest first."""
    query = select(*_STREAM).where(stream.c.attempt_id == attempt_id, stream.c.kind == kind).order_by(stream.c.id)
    return [_record(row) for row in connection.execute(query)]


def read_piece(which: Stream, data: bytes, *, whole: bool = False) -> Piece:
    """Reads what ``data`` makes whole. Bytes that are no spool end the reading; what was good before them stays.

    So do many new names, unless the ``whole`` is wanted: the piece ends there, and its sender goes on from its
    ``next_offset``. Others would wait too long for the transaction.
    """
    reader = BlockReader(which.kinds, which.rest, started=which.begun)
    records: list[Block | Row | Note] = []
    broken: str | None = None
    is_cut = False
    try:
        with contextlib.closing(reader.blocks(data)) as coming:
            for record, is_wide in _widening(coming, which.kinds.values()):
                records.append(record)
                if is_wide and not whole:
                    is_cut = True
                    break
    except SpoolError as error:
        broken = str(error)
    gathered = which.rest + data
    used = len(gathered) - len(reader.rest)
    header = len(HEADER) if reader.started and not which.begun else 0
    start = which.next_offset - len(which.rest)
    if broken is None and not is_cut:
        offset = which.next_offset + len(data)
    else:
        # The rest was not looked at: it is sent again, or worth nothing.
        reader.rest = b""
        offset = max(which.next_offset, start + used)
    return Piece(records, start + header, gathered[header:used], offset, reader, broken)


def _widening(
    records: Iterable[Block | Row | Note], known: Collection[Sequence[str]]
) -> Iterator[tuple[Block | Row | Note, bool]]:
    """The records, each with whether many new names have come with it and with rows before it.

    The first row does not count: a row is taken whole, and where all rows have the same many names each piece would be
    one row.
    """
    names: set[str] = set()
    for record in records:
        if isinstance(record, Note):
            yield record, False
            continue
        before = len(names)
        names.update(record.keys if isinstance(record, Block) else record.data)
        is_wide = 0 < before < len(names) >= MANY_NAMES and len(names.difference(*known)) >= MANY_NAMES
        yield record, is_wide


def keep_piece(connection: Connection, which: Stream, piece: Piece) -> int:
    """Stores a piece and returns how many rows now lie in tails."""
    rows = piece.rows()
    if rows:
        step0, step1 = _range(piece)
        _ADD_TAIL.execute(
            connection, stream_id=which.id, offset=piece.at, n=rows, step0=step0, step1=step1, data=piece.whole
        )
    values: dict[str, Any] = {
        "next_offset": piece.next_offset,
        "rest": piece.reader.rest,
        "begun": int(piece.reader.started),
        "broken": piece.broken,
        "tail_rows": which.tail_rows + rows,
    }
    if piece.reader.kinds != which.kinds:
        values["kinds"] = {str(number): list(keys) for number, keys in piece.reader.kinds.items()}
    change(connection, stream, which.id, values)
    return which.tail_rows + rows


def _range(piece: Piece) -> tuple[int, int]:
    """The smallest and the largest step."""
    steps = [record.step for record in piece.records if isinstance(record, Row)]
    for record in piece.records:
        if isinstance(record, Block):
            steps += [int(record.steps.min()), int(record.steps.max())]
    return min(steps), max(steps)


def keep_console(connection: Connection, which: Stream, data: bytes) -> int:
    """Stores console bytes and returns the next offset."""
    following = which.next_offset + len(data)
    if data:
        packed = zstandard.compress(data, 3)
        _ADD_CONSOLE.execute(connection, stream_id=which.id, offset=which.next_offset, n=len(data), data=packed)
        change(connection, stream, which.id, {"next_offset": following})
    return following
