"""Copies of the server's data: made while it works, put back, and what agents and scripts make good afterwards."""

from __future__ import annotations

import contextlib
import sqlite3
import stat

import pytest
from machine import Machine
from workshop import Workshop, wait_until

STEPS = 30
# A third of the rows, a pause until there is a file `go10`, another third, and so on.
TRAINS = f"""
    import besom, pathlib, sys, time
    with besom.init(project="tests") as run:
        for step in range({STEPS}):
            while step in (10, 20) and not pathlib.Path(sys.path[0], f"go{{step}}").exists():
                time.sleep(0.02)
            besom.log({{"loss": 1 / (step + 1), "step": step}})
"""


@pytest.fixture
def machine(tmp_path):
    made = Machine(tmp_path)
    yield made
    made.besom("server", "stop")


@pytest.fixture
def shop(tmp_path):
    made = Workshop(tmp_path)
    made.besom("server", "start")
    yield made
    made.close()


def is_whole(file):
    with contextlib.closing(sqlite3.connect(file)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def rows(shop, uid):
    return [row["step"] for row in shop.server.call("GET", f"/api/v1/runs/{uid}/history")["rows"]]


def test_a_backup_is_whole_and_writes_over_nothing(machine, tmp_path):
    machine.start()
    target = tmp_path / "backup.db"
    assert machine.besom("server", "backup", str(target)).returncode == 0
    assert is_whole(target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600

    again = machine.besom("server", "backup", str(target))
    assert again.returncode != 0
    assert "exists already" in again.stderr
    assert machine.besom("server", "backup", "--force", str(target)).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir() if "backup" in path.name) == ["backup.db"]


def test_a_backup_into_a_folder_that_is_not_there_is_one_sentence(machine, tmp_path):
    machine.start()
    done = machine.besom("server", "backup", str(tmp_path / "none" / "x.db"))
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def test_while_a_server_runs_nothing_is_restored(machine, tmp_path):
    machine.start()
    machine.besom("server", "backup", str(tmp_path / "b.db"))
    done = machine.besom("server", "restore", str(tmp_path / "b.db"))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "end it first with `besom server stop`" in done.stderr


def test_clients_send_again_what_a_restored_server_lacks(shop):
    sweep = shop.sweep({"x": {"values": [1]}}, metric={"name": "loss"})
    place = shop.place(train=TRAINS)
    agent = shop.begin("agent", sweep, place=place)
    script = shop.begin("train.py", place=place, module=False)
    watched = wait_until(lambda: shop.runs(sweep))[0]["uid"]
    alone = wait_until(lambda: [run for run in project_runs(shop) if run["uid"] != watched])[0]["uid"]
    wait_until(lambda: len(rows(shop, watched)) == len(rows(shop, alone)) == 10)
    shop.besom("server", "backup", str(shop.folder / "early.db"))
    (place / "go10").touch()
    wait_until(lambda: len(rows(shop, watched)) == len(rows(shop, alone)) == 20)
    shop.besom("server", "stop")

    said = shop.besom("server", "restore", str(shop.folder / "early.db")).stderr
    shop.besom("server", "start")

    assert len(rows(shop, watched)) == len(rows(shop, alone)) == 10
    (place / "go20").touch()
    agent.end(code=0)
    script.end(code=0)
    assert rows(shop, watched) == list(range(STEPS))
    assert rows(shop, alone) == list(range(STEPS))
    assert [run["state"] for run in project_runs(shop)] == ["finished", "finished"]
    (kept,) = shop.data.glob("besom.db.replaced-*")
    assert str(kept) in said
    assert is_whole(kept)


def project_runs(shop):
    return shop.server.call("GET", "/api/v1/runs", query={"project": "tests"})["runs"]


def test_runs_that_were_handed_out_since_the_backup_are_handed_out_again(shop):
    sweep = shop.sweep({"x": {"values": [1, 2]}}, metric={"name": "loss"})
    shop.besom("server", "backup", str(shop.folder / "early.db"))
    place = shop.place(train=TRAINS)
    agent = shop.begin("agent", sweep, place=place)
    wait_until(lambda: shop.runs(sweep) and rows(shop, shop.runs(sweep)[0]["uid"]))
    shop.besom("server", "stop")
    shop.besom("server", "restore", str(shop.folder / "early.db"))
    shop.besom("server", "start")

    assert shop.runs(sweep) == []
    for step in (10, 20):
        (place / f"go{step}").touch()
    said = agent.end()
    shop.begin("agent", sweep, place=place).end(code=0)
    assert "Traceback" not in said
    assert "agent ends: " in said
    assert [run["params"]["x"] for run in shop.runs(sweep)] == [1, 2]
    assert {run["state"] for run in shop.runs(sweep)} == {"finished"}


def test_a_vacuum_says_what_it_brought(machine):
    machine.start()
    done = machine.besom("server", "vacuum")
    assert done.returncode == 0
    assert "the database went from " in done.stderr
    assert "disk      database " in machine.besom("server", "status").stdout
