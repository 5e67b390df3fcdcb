"""Programs of another version beside this one: commands, servers and agents, each a process of its own source."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import pytest
from other_version import other_version
from workshop import Workshop, wait_until

from besom.common.discovery import is_alive, read_discovery, read_token
from besom.common.version import VERSION

STEPS = 20
WAITS = f"""
    import besom, pathlib, sys, time
    with besom.init() as run:
        for step in range({STEPS}):
            while step == 10 and not pathlib.Path(sys.path[0], "go").exists():
                time.sleep(0.02)
            besom.log({{"loss": 1 / (step + 1), "step": step}})
"""


@pytest.fixture
def shop(tmp_path):
    made = Workshop(tmp_path)
    yield made
    made.close()


def serving(shop, **environ):
    """A server in the foreground, which is its owner's to end."""
    server = shop.begin("server", "--port", "0", place=shop.folder, **environ)
    server.wait_for("serves")
    return server


def test_one_minor_version_apart_goes_together_either_way(shop, tmp_path):
    newer = other_version(tmp_path, "0.2.0")
    server = serving(shop)
    assert shop.besom("ls", **newer).stdout.startswith("no sweeps yet")
    assert shop.besom("server", "start", **newer).returncode == 0
    assert server.process.poll() is None, "a newer program ended a server that is not its own"
    server.process.terminate()
    server.end(code=0)
    serving(shop, **newer)
    assert shop.besom("ls").stdout.startswith("no sweeps yet")


@pytest.mark.parametrize("change", [{"version": "0.3.0"}, {"version": "0.1.5", "api": 2}], ids=["version", "api"])
def test_further_apart_each_side_says_one_sentence(shop, tmp_path, change):
    server = serving(shop)
    done = shop.besom("ls", code=1, **other_version(tmp_path, **change))
    where = urlsplit(read_discovery(shop.data).url)
    line = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
    line.request("GET", "/api/v1/me", headers={
        "Authorization": f"Bearer {read_token(shop.data)}", "X-Besom-Version": change["version"],
        "X-Besom-Api": str(change.get("api", 1)),
    })  # fmt: skip
    answer = line.getresponse()
    told = json.loads(answer.read())
    line.close()

    assert done.stderr.count("\n") == 1
    assert f"is Besom {VERSION} (API 1) and this is Besom {change['version']}" in done.stderr
    assert "install the same version of Besom on both sides" in done.stderr
    assert (answer.status, told["kind"]) == (426, "IncompatibleVersion")
    assert f"this server is Besom {VERSION} (API 1) and you are Besom {change['version']}" in told["detail"]
    assert server.process.poll() is None


def begin_training(shop):
    sweep = shop.sweep({"x": {"values": [1, 2]}}, metric={"name": "loss"})
    place = shop.place(train=WAITS)
    agent = shop.begin("agent", sweep, place=place)
    wait_until(lambda: shop.runs(sweep) and len(shop.history(shop.runs(sweep)[0])) == 10)
    return sweep, place, agent


def test_a_newer_program_restarts_its_own_server_as_it_was_and_agents_go_on(shop, tmp_path):
    shop.besom("server", "start", "--lease", "45", "--allowed-host", "sweeps.example.org")
    sweep, place, agent = begin_training(shop)
    old = read_discovery(shop.data)

    said = shop.besom("ls", **other_version(tmp_path, "0.2.0")).stderr

    new = read_discovery(shop.data)
    assert "starting the server of this machine" in said
    assert (new.version, new.background) == ("0.2.0", True)
    assert not is_alive(old)
    assert shop.besom("server", "start", "--lease", "45", "--allowed-host", "sweeps.example.org").returncode == 0
    (place / "go").touch()
    agent.end(code=0)
    for run in shop.runs(sweep):
        assert (run["state"], run["attempt"]) == ("finished", 1)
        assert [row["step"] for row in shop.history(run)] == list(range(STEPS))


def test_an_agent_under_a_server_that_became_much_newer_ends_with_a_sentence(shop, tmp_path):
    shop.besom("server", "start")
    newer = other_version(tmp_path, "0.3.0")
    _, place, agent = begin_training(shop)
    shop.besom("server", "start", **newer)
    agent.wait_for("is Besom 0.3.0 (API 1) and this is Besom")
    (place / "go").touch()
    said = agent.end()

    assert agent.process.returncode != 0
    assert "Traceback" not in said
    assert "agent ends: " in said
    # What it could not send is on the disk, for a program of the server's version.
    assert len(shop.run_folders) == 1
