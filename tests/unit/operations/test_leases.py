"""How long a run's lease lasts is told to the database by the server that opens it."""

from pathlib import Path
from typing import Any

import pytest

from besom.operations import leases, runs
from besom.operations.housekeeping import expire_leases, renew_all_leases
from besom.store.database import Database
from besom.wire.runs import NewRun


@pytest.mark.parametrize(
    ("told", "lease_s", "beat_s", "run_beat_s"),
    [({}, 60, 5, 15), ({"lease_s": 8}, 8, 2, 2), ({"lease_s": 600}, 600, 5, 15)],
)
def test_heartbeats_are_often_enough_for_the_lease(
    tmp_path: Path, told: dict[str, Any], lease_s: float, beat_s: float, run_beat_s: float
) -> None:
    database = Database.open(f"sqlite:///{tmp_path / 'besom.db'}", **told)
    asked = [database.write_now(ask) for ask in (leases.lease_s, leases.heartbeat_s, leases.run_heartbeat_s)]
    database.close()
    assert asked == [lease_s, beat_s, run_beat_s]


def test_a_lease_ends_after_the_time_that_the_server_was_told(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path / 'besom.db'}", now=lambda: 0.0, lease_s=8.0)
    run = database.write_now(runs.start, NewRun(uid="r", project="shapes"), "mira", 100.0)
    assert run.heartbeat_s == 2.0
    assert database.write_now(expire_leases, 108.0) == []
    database.write_now(renew_all_leases, 108.5)
    assert database.write_now(expire_leases, 116.5) == []
    assert database.write_now(expire_leases, 116.6) == ["r"]
    database.close()
