"""The private PostgreSQL that tests and benchmarks start: it keeps what was committed, and dies with its starter."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from common import postgres

BENCH = Path(postgres.__file__).parents[1]
STARTER = """
import sys
import psycopg
from common.postgres import Postgres

server = Postgres("fsync=off")
print(server.folder, flush=True)
url = server.database("kept")

def answers(query):
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()

with psycopg.connect(url) as connection:
    connection.execute("CREATE TABLE fact AS SELECT 7 AS number")
for again in ((server.kill, server.start), (server.restart,)):
    before = psycopg.connect(url)
    for step in again:
        step()
    try:
        before.execute("SELECT 1")
        sys.exit("a connection outlived its server")
    except psycopg.OperationalError:
        before.close()
    print(answers("SELECT number FROM fact"), flush=True)
sys.stdin.read()
"""


@pytest.mark.postgres
@pytest.mark.skipif(postgres.binaries() is None and os.environ.get("CI") != "true", reason="PostgreSQL is missing")
def test_it_keeps_what_was_committed_through_a_kill_and_a_restart_and_ends_with_its_starter(wait_until):
    with subprocess.Popen(
        [sys.executable, "-c", STARTER], env={**os.environ, "PYTHONPATH": str(BENCH)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as starter:  # fmt: skip
        folder = Path(starter.stdout.readline().strip())
        try:
            after = [starter.stdout.readline() for _ in range(2)]
            leader = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        finally:
            starter.kill()
    assert after == ["[(7,)]\n", "[(7,)]\n"]
    wait_until(lambda: not folder.exists() and not Path(f"/proc/{leader}").exists())
