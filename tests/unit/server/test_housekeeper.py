from __future__ import annotations

import sqlite3

import pytest

from besom.errors import DataFolderError
from besom.operations.leases import LEASE_S
from besom.server.housekeeper import JUMP_S, TICK_S, Housekeeper, jumped
from besom.server.lock import TakenOver
from besom.store import run_answers


@pytest.mark.parametrize(
    ("since_s", "expected"),
    [(TICK_S, False), (TICK_S + JUMP_S - 0.1, False), (TICK_S + JUMP_S + 0.1, True), (-3600.0, True), (0.0, False)],
)
def test_a_jump_is_told_from_a_slow_tick(since_s, expected):
    assert jumped(since_s) is expected


class Ticking:
    def __init__(self, house):
        self.house = house
        self.keeper = Housekeeper(house.services)

    def at(self, now):
        self.house.call(self.keeper.tick, now)


def state(house, uid):
    return house.database.read_now(run_answers.get, uid).state


@pytest.fixture
def clock(house):
    """A tick at the present and what comes after; the house's own timer keeps out of it."""
    house.call(house.services.closing.set)
    return Ticking(house)


def test_late_leases_end_while_the_server_is_up(house, clock):
    run = house.hand_out(house.sweep())
    now = house.services.now()

    clock.at(now)
    for step in range(1, int((LEASE_S + 10) / TICK_S)):
        clock.at(now + step * TICK_S)

    assert state(house, run.uid) == "queued"


def test_after_a_jump_of_the_clock_every_lease_begins_anew(house, clock):
    run = house.hand_out(house.sweep())
    now = house.services.now()

    clock.at(now)
    clock.at(now + 3600)
    clock.at(now + 3600 + TICK_S)

    assert state(house, run.uid) == "running"


def test_at_the_start_every_lease_begins_anew(house, clock):
    run = house.hand_out(house.sweep())

    clock.at(house.services.now() + 3600)

    assert state(house, run.uid) == "running"


def test_a_server_whose_folder_another_one_has_taken_ends(house, clock):
    ended = []
    house.services.end = lambda: ended.append(1)

    def taken():
        raise TakenOver("another server")

    house.services.beat = taken
    house.call(clock.keeper.beat)

    assert ended


def test_a_disk_that_does_not_answer_ends_nothing(house, clock):
    house.services.end = lambda: pytest.fail("ended")

    def failing():
        raise OSError(5, "Input/output error")

    house.services.beat = failing
    house.call(clock.keeper.beat)


def test_a_database_that_was_locked_for_longer_than_a_lease_costs_no_run(house, clock):
    run = house.hand_out(house.sweep())
    now = house.services.now()
    clock.at(now)
    with sqlite3.connect(house.settings.db_file, isolation_level=None, timeout=60) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DataFolderError, match="cannot be used now: database is locked"):
            clock.at(now + TICK_S)
        other.execute("COMMIT")
    other.close()

    clock.at(now + LEASE_S + 2 * TICK_S)

    assert state(house, run.uid) == "running"
