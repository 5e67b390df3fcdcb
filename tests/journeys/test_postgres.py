"""A sweep whose server keeps everything in PostgreSQL, with the server killed on the way."""

import json
import os
import signal
from pathlib import Path

import pytest
from workshop import Workshop, wait_until

from besom.common.discovery import read_discovery

pytestmark = pytest.mark.postgres

# The database lets everybody in: the password is there to be looked for.
PASSWORD = "sesame0815"

LOGS = """
    import besom, time
    with besom.init() as run:
        for step in range(25):
            besom.log({"loss": run.config["x"] + 1 / (step + 1), "step": step})
            time.sleep(0.02)
        print(f"x was {run.config['x']}, äöü")
"""


@pytest.fixture
def shop(tmp_path, postgres_url):
    made = Workshop(tmp_path)
    address = postgres_url.removeprefix("postgresql+psycopg://").replace("postgres@", f"postgres:{PASSWORD}@", 1)
    made.environ["BESOM_DB"] = f"postgresql://{address}"
    made.besom("server", "start")
    yield made
    made.close()


def command_lines():
    """The command lines of all processes that can be read."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            yield (process / "cmdline").read_text(errors="replace")
        except OSError:
            continue  # it has just ended


def test_two_agents_finish_a_sweep_though_its_server_was_killed(shop):
    sweep = shop.sweep({"x": {"values": list(range(6))}}, metric={"name": "loss"})
    place = shop.place(train=LOGS)
    agents = [shop.begin("agent", sweep, place=place) for _ in range(2)]
    wait_until(lambda: any(run["state"] == "finished" for run in shop.runs(sweep)))
    os.kill(read_discovery(shop.data).pid, signal.SIGKILL)
    shop.besom("server", "start")
    for agent in agents:
        agent.end(code=0)

    runs = json.loads(shop.besom("export", sweep, "--format", "json", "--history").stdout)

    assert sorted(run["params"]["x"] for run in runs) == list(range(6))
    assert {run["state"] for run in runs} == {"finished"}
    for run in runs:
        assert [row["step"] for row in run["history"]] == list(range(25))
        assert run["score"] == run["params"]["x"] + 1 / 25
        assert shop.besom("logs", run["id"]).stdout == f"x was {run['params']['x']}, äöü\n"
    assert shop.state(sweep)["ended_reason"] == "grid exhausted: 6 of 6 points"
    assert not [*shop.data.glob("*.db*")], "nothing is kept beside PostgreSQL"


def test_the_password_is_in_no_status_log_or_process_list(shop):
    told = shop.besom("server", "status").stdout + shop.besom("server", "status", "--json").stdout
    assert "postgres:***@" in told
    assert PASSWORD not in told
    assert not [line for line in command_lines() if PASSWORD in line]
    kept = {path.name: path.read_bytes() for path in shop.data.rglob("*") if path.is_file()}
    assert "server.log" in kept
    assert [name for name, content in kept.items() if PASSWORD.encode() in content] == []


def test_a_password_in_the_command_is_refused_without_repeating_it(shop):
    done = shop.besom("server", "start", "--db", f"postgresql://ana:{PASSWORD}@db.invalid/besom", code=2)
    assert "BESOM_DB" in done.stderr
    assert PASSWORD not in done.stdout + done.stderr


def test_a_database_that_is_away_is_one_sentence_without_its_password(tmp_path):
    shop = Workshop(tmp_path)
    shop.environ["BESOM_DB"] = f"postgresql://postgres:{PASSWORD}@/besom?host={tmp_path}/nowhere"
    done = shop.command("-m", "besom", "server", "start", place=tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in said
    assert PASSWORD not in said
    assert said.count("\n") <= 3, said
