"""The server's database on bad days: other programs' locks and schemas, damage, PostgreSQL that goes away."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading

import pytest
from machine import Machine
from other_version import NEXT, other_version
from workshop import Workshop, wait_until

from besom.client.connection import Connection
from besom.common.discovery import read_discovery, read_token
from besom.store.migrations import HEAD

STEPS = 30
LOGS = f"""
    import besom, time
    with besom.init() as run:
        for step in range({STEPS}):
            besom.log({{"loss": run.config["x"] + 1 / (step + 1), "step": step}})
            time.sleep(0.02)
"""
LOCK = """
import sqlite3, sys
other = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
other.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
other.execute("COMMIT")
"""
SLOW = """
op.create_table("more", sa.Column("id", sa.Integer, primary_key=True))
if marker := os.environ.get("TEST_MARKER"):
    pathlib.Path(marker).write_text(str(os.getpid()))
    time.sleep(600)
"""
_numbers = itertools.count()


@pytest.fixture
def machine(tmp_path):
    made = Machine(tmp_path)
    yield made
    made.besom("server", "stop")


@contextlib.contextmanager
def locked(file):
    """Another program holds the database while the block runs."""
    command = [sys.executable, "-c", LOCK, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "locked\n"
        yield
        other.stdin.write("\n")
        other.stdin.flush()


def one_sentence(done, *words):
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr


def all_finished(shop, sweep, points):
    """Every point has one finished run with every row once."""
    runs = shop.runs(sweep)
    assert sorted(run["params"]["x"] for run in runs) == list(range(points))
    assert {(run["state"], run["attempt"]) for run in runs} == {("finished", 1)}
    for run in runs:
        assert [row["step"] for row in shop.history(run)] == list(range(STEPS))


@pytest.fixture
def shop(tmp_path):
    made = Workshop(tmp_path)
    yield made
    made.close()


def begin_training(shop, points=3):
    sweep = shop.sweep({"x": {"values": list(range(points))}}, metric={"name": "loss"})
    agent = shop.begin("agent", sweep, place=shop.place(train=LOGS))
    wait_until(lambda: shop.runs(sweep) and shop.history(shop.runs(sweep)[0]))
    return sweep, agent


# ---- locked


def test_changes_wait_for_another_program_that_holds_the_database(shop):
    shop.besom("server", "start")
    with locked(shop.data / "besom.db"):
        asking = shop.begin("token", "create", "late", place=shop.folder)
        assert shop.server.call("GET", "/api/v1/server")["sweeps"] == 0
        assert asking.process.poll() is None
    asking.end(code=0)


def test_a_lock_that_lasts_is_told_as_passing_and_agents_lose_nothing(shop):
    shop.environ["BESOM_DB_WAIT"] = "0.3"
    shop.besom("server", "start")
    sweep, agent = begin_training(shop)
    with locked(shop.data / "besom.db"):
        said = shop.besom("token", "create", "x", code=1).stderr
        status, headers, answer = ask(shop, "POST", "/api/v1/tokens", b'{"name": "x"}')
        wait_until(lambda: "what it logs waits on this machine's disk" in agent.text())
    agent.end(code=0)

    assert said.count("\n") == 1
    assert "the server's database cannot be used now: database is locked" in said
    assert (status, json.loads(answer)["kind"]) == (503, "DataFolderError")
    assert int(headers["Retry-After"]) >= 1
    all_finished(shop, sweep, 3)


def ask(shop, method, path, body=None):
    import http.client
    from urllib.parse import urlsplit

    where = urlsplit(read_discovery(shop.data).url)
    line = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
    with contextlib.closing(line):
        line.request(method, path, body, {"Authorization": f"Bearer {read_token(shop.data)}"})
        answer = line.getresponse()
        return answer.status, answer.headers, answer.read()


# ---- schemas


def digests(data):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in data.glob("besom.db*")}


def test_a_schema_of_a_newer_program_is_refused_and_left_as_it_is(machine, tmp_path):
    newer = other_version(tmp_path, "0.2.0", upgrade=SLOW)
    assert machine.besom("server", "start", env={**machine.environ, **newer}).returncode == 0
    assert machine.besom("server", "stop").returncode == 0
    before = digests(machine.data)

    done = machine.besom("server", "start")

    one_sentence(done, f"was made by a newer Besom (its schema is {NEXT}, this program knows {HEAD})", "upgrade Besom")
    assert digests(machine.data) == before
    assert machine.besom("ls").returncode == 1


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_migration_that_was_killed_half_way_leaves_what_was_there(kind, machine, tmp_path, request):
    if kind == "postgres":
        machine.environ["BESOM_DB"] = request.getfixturevalue("postgres_url").replace("+psycopg", "")
    newer = {**machine.environ, **other_version(tmp_path, "0.2.0", upgrade=SLOW)}
    machine.start()
    assert machine.besom("token", "create", "kept").returncode == 0
    machine.besom("server", "stop")
    marker = tmp_path / "marker"
    with subprocess.Popen(
        machine.command("server", "start"), env={**newer, "TEST_MARKER": str(marker)}, stderr=subprocess.PIPE, text=True
    ) as starting:
        wait_until(lambda: marker.exists() and marker.read_text())
        os.kill(int(marker.read_text()), signal.SIGKILL)
        _, said = starting.communicate(timeout=60)
    copies = sorted(machine.data.glob(f"besom.db.before-{NEXT}-*"))

    assert starting.returncode == 1
    assert "was killed by signal 9 before it listened" in said
    assert len(copies) == (1 if kind == "sqlite" else 0)
    for copy in copies:
        assert str(copy) in said
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    machine.start()
    assert "kept" in machine.besom("token", "ls").stdout


def test_damage_that_shows_later_is_told_with_the_way_out(machine):
    machine.start()
    machine.besom("server", "stop")
    damage(machine.data / "besom.db", "sweep")
    machine.start()

    done = machine.besom("ls")

    assert done.returncode == 1
    assert "the server's database is damaged" in done.stderr
    assert "besom server restore FILE" in done.stderr


def damage(file, table):
    """Makes a table's pages unreadable."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        roots = connection.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name = ?", (table,)).fetchall()
    with file.open("r+b") as raw:
        for (page,) in roots:
            raw.seek((page - 1) * size)
            raw.write(b"\xff" * size)


# ---- disks


def test_a_disk_that_is_full_at_the_start_is_one_sentence(machine):
    import resource

    def no_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    done = machine.besom("server", "start", preexec_fn=no_room)

    one_sentence(done, str(machine.data), "cannot be used")
    assert "Traceback" not in (machine.data / "server.log").read_text()
    machine.start()


@pytest.mark.skipif(os.getuid() != 0, reason="only root may mount")
def test_a_data_folder_that_cannot_be_written_is_one_sentence(machine, tmp_path):
    machine.start()
    machine.besom("server", "stop")
    subprocess.run(["mount", "--bind", machine.data, machine.data], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", machine.data], check=True)
        for command in (["server", "start"], ["server"]):
            one_sentence(
                machine.besom(*command), f"the data folder {machine.data} cannot be used: Read-only file system"
            )
    finally:
        subprocess.run(["umount", machine.data], check=True)


# ---- PostgreSQL


@pytest.fixture
def cluster(postgres_server):
    """An address whose role is no superuser, and a line for the superuser."""
    import psycopg

    name = f"besom_role_{os.getpid()}_{next(_numbers)}"

    def command(*statements):
        with psycopg.connect(postgres_server.url, autocommit=True) as line:
            for statement in statements:
                line.execute(statement.format(name=name))

    command("CREATE ROLE {name} LOGIN", "CREATE DATABASE {name} OWNER {name}")
    command.url = f"postgresql://{name}@/{name}?host={postgres_server.folder}"
    yield command
    command("DROP DATABASE {name} WITH (FORCE)", "DROP ROLE {name}")


@pytest.mark.postgres
def test_postgresql_restarts_under_load_and_nothing_is_lost(shop, cluster, postgres_server):
    shop.environ["BESOM_DB"] = cluster.url
    shop.besom("server", "start")
    seen = []
    listening = threading.Thread(target=lambda: seen.extend(until_finished(shop)), daemon=True)
    listening.start()
    sweep, agent = begin_training(shop, points=4)
    for _ in range(2):
        postgres_server.restart()
        before = finished(shop, sweep)
        wait_until(lambda least=before: finished(shop, sweep) > least)
    agent.end(code=0)
    listening.join(timeout=60)

    all_finished(shop, sweep, 4)
    events = [event["id"] for event in until_finished(shop)]
    assert [event["id"] for event in seen] == events
    assert "Traceback" not in (shop.data / "server.log").read_text()


def until_finished(shop):
    """The events from the first one to the end of the sweep, over whatever breaks in between."""
    line = Connection(read_discovery(shop.data).url, read_token(shop.data))
    seen = []
    for event in line.events(0):
        seen.append(event)
        if event["kind"] == "sweep.changed" and event["data"]["state"] == "finished":
            return seen
    return seen


def finished(shop, sweep):
    """How many runs are finished, asked until the database is back."""
    runs = shop.server.call("GET", f"/api/v1/sweeps/{sweep}/runs", patience_s=60)["runs"]
    return len([run for run in runs if run["state"] == "finished"])


@pytest.mark.postgres
def test_postgresql_out_of_connections_is_told_as_passing(shop, cluster):
    shop.environ["BESOM_DB"] = cluster.url
    shop.besom("server", "start")
    sweep, agent = begin_training(shop)
    cluster("ALTER ROLE {name} CONNECTION LIMIT 0", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = '{name}'")  # fmt: skip
    said = wait_until(lambda: (done := shop.command("-m", "besom", "ls", place=shop.folder)).returncode and done.stderr)
    wait_until(lambda: "what it logs waits on this machine's disk" in agent.text())
    refused = Workshop(shop.folder / "second")
    refused.folder.mkdir()
    refused.environ["BESOM_DB"] = cluster.url
    start = refused.besom("server", "start", code=1).stderr
    cluster("ALTER ROLE {name} CONNECTION LIMIT -1")
    agent.end(code=0)

    assert "too many connections for role" in said
    assert said.count("\n") == 1
    assert "too many connections for role" in start
    assert start.count("\n") == 1
    all_finished(shop, sweep, 3)


@pytest.mark.postgres
def test_two_servers_start_at_once_on_one_empty_postgresql_and_share_it(tmp_path, postgres_url):
    url = postgres_url.replace("+psycopg", "")
    shops = [Workshop(tmp_path / name) for name in ("one", "two")]
    for shop in shops:
        shop.folder.mkdir()
        shop.environ["BESOM_DB"] = url
    try:
        starts = [shop.begin("server", "start", place=shop.folder) for shop in shops]
        for start in starts:
            start.end(code=0)
        sweep = shops[0].sweep({"x": {"values": list(range(6))}}, metric={"name": "loss"})
        agents = [shop.begin("agent", sweep, place=shop.place(train=LOGS)) for shop in shops]
        for agent in agents:
            agent.end(code=0)
        all_finished(shops[1], sweep, 6)
    finally:
        for shop in shops:
            shop.close()
