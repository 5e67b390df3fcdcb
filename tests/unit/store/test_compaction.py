from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from besom.common import spool_format
from besom.operations import housekeeping
from besom.store import compaction, dialects, runs
from besom.store.database import Database
from besom.store.tables import chunk, tail


def rows(count: int, first: int = 0) -> bytes:
    kind = spool_format.HEADER + spool_format.json_record({"t": "kind", "kind": 1, "keys": ["loss"]})
    row = spool_format.row_struct(1)
    packed = b"".join(row.pack(1, first + at, 1000.0 + at, 0.5 * at) for at in range(count))
    return packed if first else kind + packed


def held(database: Database) -> tuple[int, int]:
    """How many tails and chunks there are."""

    def count(connection: Connection) -> tuple[int, int]:
        tails, chunks = (connection.execute(select(func.count()).select_from(of)).scalar_one() for of in (tail, chunk))
        return int(tails), int(chunks)

    return database.read_now(count)


def test_an_end_leaves_the_packing_to_the_timer(sqlite_hand: Any) -> None:
    run = sqlite_hand.start()
    sqlite_hand.append(run, 1, rows(100))
    sqlite_hand.finish(run)
    before = sqlite_hand.rows(run)
    assert held(sqlite_hand.database) == (1, 0)
    assert sqlite_hand.database.write_now(housekeeping.compact)
    assert held(sqlite_hand.database) == (0, 2)
    assert not sqlite_hand.database.write_now(housekeeping.compact)
    assert sqlite_hand.rows(run) == before


def test_a_short_tail_stays_a_tail(sqlite_hand: Any) -> None:
    run = sqlite_hand.start()
    sqlite_hand.append(run, 1, rows(compaction.SHORT_ROWS - 1))
    sqlite_hand.finish(run)
    assert not sqlite_hand.database.write_now(housekeeping.compact)
    assert held(sqlite_hand.database) == (1, 0)


def test_a_long_run_is_packed_while_it_goes_on(sqlite_hand: Any) -> None:
    run, offset = sqlite_hand.start(), 0
    for first in range(0, 2 * compaction.TAIL_ROWS, 1024):
        offset = sqlite_hand.append(run, 1, rows(1024, first), offset=offset)
    assert held(sqlite_hand.database) == (0, 4)


@pytest.mark.parametrize(
    ("tail_rows", "a_row", "long"),
    [
        (compaction.TAIL_ROWS - 1, 26, False),
        (compaction.TAIL_ROWS, 26, True),
        (compaction.FEW_ROWS - 1, 20_000, False),
        (compaction.FEW_ROWS, 20_000, True),
        (8, 1024 * 1024, True),
        (1, 16 * 1024 * 1024, True),
    ],
)
def test_how_long_a_tail_may_be_depends_on_how_wide_its_rows_are(tail_rows: int, a_row: int, long: bool) -> None:
    assert compaction.is_long(tail_rows, 1, a_row) is long


def test_rows_that_a_found_attempt_sends_after_its_packing_are_packed_too(sqlite_hand: Any) -> None:
    agent = sqlite_hand.agent(sqlite_hand.sweep())
    run = sqlite_hand.take(agent)
    end = sqlite_hand.append(run.uid, 1, rows(50))
    sqlite_hand.clock.pass_s(61)
    sqlite_hand.do(housekeeping.expire_leases)
    assert sqlite_hand.database.write_now(housekeeping.compact)
    sqlite_hand.beat(agent, run)
    sqlite_hand.append(run.uid, 1, rows(50, 50), offset=end)
    sqlite_hand.finish(run.uid)
    assert sqlite_hand.database.write_now(housekeeping.compact)
    assert [row["_step"] for row in sqlite_hand.rows(run.uid)] == list(range(100))


def test_what_was_freed_goes_back_to_the_disk(sqlite_hand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialects, "_FREE_PAGES", 4)
    database, run = sqlite_hand.database, sqlite_hand.start()
    printed = b"".join(at.to_bytes(4, "big") for at in range(200_000))
    database.write_now(runs_append, run, printed, sqlite_hand.clock())
    full = pages(database)
    database.write_now(runs_delete, run, sqlite_hand.clock())
    assert pages(database) == full
    while database.write_now(housekeeping.compact):
        pass
    assert pages(database) < full - 10


def runs_append(connection: Connection, run: str, data: bytes, now: float) -> None:
    from besom.operations import runs as operations

    operations.append(connection, run, 1, "w0", "console", 0, data, now)


def runs_delete(connection: Connection, run: str, now: float) -> None:
    runs.remove(connection, runs.get(connection, run))


def pages(database: Database) -> int:
    return database.read_now(lambda connection: connection.exec_driver_sql("PRAGMA page_count").scalar_one())


def wide_rows(count: int) -> bytes:
    """Rows of a hundred names each that no other row has."""
    pieces = [spool_format.HEADER]
    for at in range(count):
        keys = [f"name {at * 100 + number}" for number in range(100)]
        pieces.append(spool_format.json_record({"t": "kind", "kind": at + 1, "keys": keys}))
        pieces.append(spool_format.row_struct(100).pack(at + 1, at, 1000.0 + at, *([0.5] * 100)))
    return b"".join(pieces)


def test_ever_new_names_are_taken_and_packed_some_at_a_time(sqlite_hand: Any) -> None:
    run, data, offsets = sqlite_hand.start(), wide_rows(40), [0]
    while offsets[-1] < len(data):
        offsets.append(sqlite_hand.append(run, 1, data[offsets[-1] :], offset=offsets[-1]))
    assert len(offsets) > 10
    before = sqlite_hand.rows(run)
    assert [len(row) - len({"_step", "attempt"} & row.keys()) for row in before] == [100] * 40
    sqlite_hand.finish(run)
    slices = 0
    while sqlite_hand.database.write_now(housekeeping.compact):
        slices += 1
    assert slices > 4
    assert held(sqlite_hand.database)[0] == 0
    assert sqlite_hand.rows(run) == before


def test_rows_of_the_same_many_names_are_taken_at_once(sqlite_hand: Any) -> None:
    keys = [f"name {number}" for number in range(1000)]
    kind = spool_format.HEADER + spool_format.json_record({"t": "kind", "kind": 1, "keys": keys})
    data = kind + b"".join(spool_format.row_struct(1000).pack(1, at, 1000.0, *([0.5] * 1000)) for at in range(5))
    assert sqlite_hand.append(sqlite_hand.start(), 1, data) == len(data)
