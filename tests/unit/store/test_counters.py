"""Sweeps are read once a transaction and their counters written once: nobody may see that but the clock."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from besom.errors import Refused
from besom.store import counters, sweeps


def count_one(c: Any, sweep_id: int, fails: bool = False) -> int:
    """Counts a run that is queued, says how many the sweep has then, and fails if it is told to."""
    counters.add(c, sweep_id, {"n_queued": 1})
    found = sweeps.by_id(c, sweep_id).counts["queued"]
    if fails:
        raise Refused("no")
    return found


@pytest.fixture
def sweep_id(sqlite_hand: Any) -> int:
    uid = sqlite_hand.sweep()
    found: int = sqlite_hand.database.read_now(sweeps.get, uid).id
    return found


def in_one_transaction(database: Any, *changes: tuple[Any, ...]) -> list[Any]:
    """What the changes answer, or their errors, when they wait together for the writer."""
    begun, goes_on = threading.Event(), threading.Event()

    def hold(c: Any) -> None:
        begun.set()
        assert goes_on.wait(30)

    async def ask() -> list[Any]:
        held = asyncio.create_task(database.write(hold))
        assert await asyncio.to_thread(begun.wait, 30)
        asks = [asyncio.create_task(database.write(*change)) for change in changes]
        # One turn of the loop: all of them are in the queue now.
        await asyncio.sleep(0)
        goes_on.set()
        await held
        return await asyncio.gather(*asks, return_exceptions=True)

    return asyncio.run(ask())


def test_what_a_transaction_counts_adds_up_and_is_seen_by_each_change(sqlite_hand: Any, sweep_id: int) -> None:
    change = (count_one, sweep_id)
    assert in_one_transaction(sqlite_hand.database, change, change, change) == [1, 2, 3]
    assert sqlite_hand.database.read_now(sweeps.by_id, sweep_id).counts["queued"] == 3


def test_what_a_change_that_failed_has_counted_is_counted_by_nobody(sqlite_hand: Any, sweep_id: int) -> None:
    good, bad = (count_one, sweep_id), (count_one, sweep_id, True)
    first, error, last = in_one_transaction(sqlite_hand.database, good, bad, good)
    assert (first, str(error), last) == (1, "no", 2)
    assert sqlite_hand.database.read_now(sweeps.by_id, sweep_id).counts["queued"] == 2


def test_a_change_that_fails_alone_counts_nothing(sqlite_hand: Any, sweep_id: int) -> None:
    with pytest.raises(Refused, match="no"):
        sqlite_hand.database.write_now(count_one, sweep_id, True)
    assert sqlite_hand.database.write_now(count_one, sweep_id) == 1


def test_a_sweep_whose_row_changes_is_read_anew_with_what_was_counted(sqlite_hand: Any, sweep_id: int) -> None:
    def rename(c: Any) -> tuple[str, int]:
        count_one(c, sweep_id)
        sweeps.change(c, sweep_id, 5.0, name="another")
        found = sweeps.by_id(c, sweep_id)
        return found.name, found.counts["queued"]

    assert sqlite_hand.database.write_now(rename) == ("another", 1)
