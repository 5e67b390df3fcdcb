"""Agents on a bad day: killed, stopped, superseded, asleep, given poison. Real processes, real signals."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from workshop import Workshop

from besom.agents.leftovers import process_place
from besom.client.run_folder import RunFolder
from besom.common.discovery import host_name, process_started

LEASE_S = 2
ONE = {"x": {"value": 1}}
# Says that it is there, logs a row every now and then, and ends well when told to go; nothing but KILL ends it early.
STUBBORN = """
    import besom, os, signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    attempt = os.environ["BESOM_ATTEMPT"]
    run = besom.init()
    besom.log({"attempt": int(attempt)})
    with open("~" + attempt, "w") as file:
        file.write(str(os.getpid()))
    os.rename("~" + attempt, "pid-" + attempt)
    while not os.path.exists("go-" + attempt):
        time.sleep(0.02)
    besom.log({"attempt": int(attempt)})
"""
POISON = """
    import besom, os, signal, time
    with besom.init() as run:
        besom.log({"loss": run.config["x"]})
        if run.config["x"] == 1:
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(600)
"""
PREEMPTED_ONCE = """
    import besom, os, sys
    run = besom.init()
    if os.environ["BESOM_ATTEMPT"] == "1":
        besom.mark_preempting()
        sys.exit(1)
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A machine whose server takes a run away after 2 s of silence."""
    found = Workshop(tmp_path_factory.mktemp("rough"))
    found.besom("server", "start", "--lease", str(LEASE_S))
    yield found
    found.close()


@pytest.fixture
def pid_of(wait_until):
    """The pid of the script of an attempt, once it is there."""

    def find(place, attempt=1):
        file = place / f"pid-{attempt}"
        wait_until(file.exists)
        return int(file.read_text())

    return find


@contextlib.contextmanager
def stopped(*pids):
    """The processes do nothing meanwhile, as when a laptop sleeps."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def states(run):
    return [attempt["state"] for attempt in run["attempts"]]


def test_a_child_that_ignores_term_dies_with_its_killed_agent_and_the_run_goes_on(shop, pid_of, wait_until):
    sweep, place = shop.sweep(ONE), shop.place(train=STUBBORN)
    first = shop.begin("agent", sweep, place=place)
    child = pid_of(place)
    first.process.kill()
    first.process.wait()
    wait_until(lambda: process_started(child) is None)
    (place / "go-2").touch()
    shop.besom("agent", sweep, place=place)
    (run,) = shop.runs(sweep)
    assert (run["state"], states(run)) == ("finished", ["crashed", "finished"])
    assert [row["attempt"] for row in shop.history(run)] == [2, 2]


def test_of_two_attempts_alive_at_once_the_later_one_counts_and_the_earlier_one_is_ended(shop, pid_of, wait_until):
    sweep, place = shop.sweep(ONE), shop.place(train=STUBBORN)
    first = shop.begin("agent", sweep, place=place)
    child = pid_of(place)
    with stopped(first.process.pid, child):
        second = shop.begin("agent", sweep, place=place)
        pid_of(place, 2)
    first.wait_for("the run was taken over by its attempt 2")
    wait_until(lambda: process_started(child) is None)
    first.wait_for("goes on elsewhere: this machine was not heard of for too long")
    assert [run["state"] for run in shop.runs(sweep)] == ["running"]
    (place / "go-2").touch()
    second.end(code=0)
    first.end(code=0)
    (run,) = shop.runs(sweep)
    assert (run["state"], states(run)) == ("finished", ["lost", "finished"])
    assert [row["attempt"] for row in shop.history(run)] == [2, 2], "both agents used one run folder"
    assert shop.run_folders == []


def test_an_end_that_comes_too_late_changes_nothing_and_its_rows_are_kept_apart(shop, pid_of, wait_until):
    sweep, place = shop.sweep(ONE), shop.place(train=STUBBORN)
    first = shop.begin("agent", sweep, "--count", "1", place=place)
    child = pid_of(place)
    with stopped(first.process.pid):
        with stopped(child):
            second = shop.begin("agent", sweep, place=place)
            pid_of(place, 2)
        (place / "go-1").touch()
        wait_until(lambda: process_started(child) is None)
    assert "goes on elsewhere" in first.end(code=0)
    assert [run["state"] for run in shop.runs(sweep)] == ["running"]
    (place / "go-2").touch()
    second.end(code=0)
    (run,) = shop.runs(sweep)
    assert (run["state"], states(run)) == ("finished", ["lost", "finished"])
    assert [row["attempt"] for row in shop.history(run)] == [2, 2]
    late = shop.server.call("GET", f"/api/v1/runs/{run['uid']}/history", query={"attempt": 1})["rows"]
    assert [row["attempt"] for row in late] == [1, 1]


def test_an_agent_that_died_before_it_noted_its_run_costs_no_lease(workshop):
    sweep, place = workshop.sweep(ONE), workshop.place(train="import besom; besom.init()")
    agent = subprocess.Popen(["sleep", "600"])
    facts = {
        "uid": os.urandom(8).hex(), "sweep_id": sweep, "host": host_name(), "pid": agent.pid,
        "process_started": process_started(agent.pid), "boot_id": process_place(),
    }  # fmt: skip
    workshop.server.call("POST", "/api/v1/agents", facts)
    taken = workshop.server.call("POST", f"/api/v1/agents/{facts['uid']}/claim", {"request_id": os.urandom(8).hex()})
    assert taken["kind"] == "run"
    agent.kill()
    agent.wait()
    said = workshop.besom("agent", sweep, place=place).stderr
    assert f"agent {facts['uid'][:8]} of this machine died with a run in hand" in said
    (run,) = workshop.runs(sweep)
    assert (run["state"], states(run)) == ("finished", ["crashed", "finished"]), "lost only after 60 s"


def test_a_sleep_longer_than_the_lease_changes_nothing(tmp_path, pid_of):
    shop = Workshop(tmp_path)
    shop.besom("server", "start", "--lease", str(LEASE_S))
    try:
        sweep, place = shop.sweep(ONE), shop.place(train=STUBBORN)
        agent = shop.begin("agent", sweep, place=place)
        server = json.loads((shop.data / "server.json").read_text())["pid"]
        with stopped(pid_of(place), agent.process.pid, server):
            time.sleep(LEASE_S + 1)
        (place / "go-1").touch()
        agent.end(code=0)
        (run,) = shop.runs(sweep)
        assert (run["state"], states(run)) == ("finished", ["finished"])
        assert [row["attempt"] for row in shop.history(run)] == [1, 1]
    finally:
        shop.close()


def test_a_run_that_kills_its_agents_ends_crashed_and_the_others_go_on(shop):
    sweep, place = shop.sweep({"x": {"values": [1, 2]}}), shop.place(train=POISON)
    codes = [shop.command("-m", "besom", "agent", sweep, place=place).returncode for _ in range(4)]
    assert codes == [-signal.SIGKILL] * 3 + [0]
    poison, other = shop.runs(sweep)
    assert (poison["state"], states(poison)) == ("crashed", ["crashed"] * 3)
    assert "its agent died" in poison["error"]
    assert "its agent died" in shop.besom("show", poison["id"]).stdout
    assert (other["state"], shop.state(sweep)["state"]) == ("finished", "finished")


def test_a_program_that_always_fails_ends_the_agent_and_not_the_sweep(shop):
    sweep, place = shop.sweep({"x": {"values": [1, 2, 3, 4, 5]}}), shop.place(train="raise SystemExit('no data')")
    said = shop.besom("agent", sweep, place=place, code=3).stderr
    assert "Detected 3 failed runs in the first 60 seconds, shutting down" in said
    assert "Why the last run failed: besom logs " in said
    assert [run["state"] for run in shop.runs(sweep)] == ["failed"] * 3, "no run was taken that is not trained"
    assert shop.state(sweep)["state"] == "running"


def test_a_deleted_sweep_lets_its_agent_finish_the_run_and_go(shop, pid_of):
    sweep, place = shop.sweep(ONE), shop.place(train=STUBBORN)
    agent = shop.begin("agent", sweep, place=place)
    pid_of(place)
    uid = shop.runs(sweep)[0]["uid"]
    shop.besom("rm", sweep)
    agent.wait_for("the agent ends after the run")
    (place / "go-1").touch()
    said = agent.end(code=7)
    assert "the server has no such run any more" in said
    assert "agent ends: Sweep was deleted or agent was not found." in said
    assert uid not in [folder.name for folder in shop.run_folders]


def test_a_preempted_run_of_a_paused_sweep_waits_for_resume(shop):
    sweep, place = shop.sweep(ONE), shop.place(train=PREEMPTED_ONCE)
    said = shop.besom("agent", sweep, "--count", "1", place=place).stderr
    assert "run 1 of 1 preempted" in said
    shop.besom("pause", sweep)
    agent = shop.begin("agent", sweep, place=place)
    agent.wait_for("waiting: the sweep is paused")
    shop.besom("resume", sweep)
    agent.end(code=0)
    (run,) = shop.runs(sweep)
    assert (run["state"], states(run)) == ("finished", ["preempted", "finished"])


@pytest.mark.parametrize(
    ("word", "code", "agent_says", "run_says"),
    [
        ("stop", 0, "stopped by a person", "the sweep was stopped by a person"),
        ("cancel", 6, "canceled by a person", "the sweep was canceled"),
    ],
)
def test_a_run_that_waits_is_killed_with_its_sweep_and_both_say_why(shop, word, code, agent_says, run_says):
    sweep, place = shop.sweep(ONE), shop.place(train=PREEMPTED_ONCE)
    shop.besom("agent", sweep, "--count", "1", place=place)
    shop.besom("pause", sweep)
    agent = shop.begin("agent", sweep, place=place)
    agent.wait_for("waiting: the sweep is paused")
    shop.besom(word, sweep)
    assert f"agent ends: {agent_says}" in agent.end(code=code)
    (run,) = shop.runs(sweep)
    assert (run["state"], states(run)) == ("killed", ["preempted"])
    assert f"killed: {run_says}" in shop.besom("show", run["id"]).stdout


def test_a_canceled_sweep_kills_what_trains(shop, pid_of):
    sweep, place = shop.sweep(ONE), shop.place(train=STUBBORN)
    agent = shop.begin("agent", sweep, place=place)
    child = pid_of(place)
    shop.besom("cancel", sweep)
    assert "canceled by a person: killing the run" in agent.end(code=6)
    assert process_started(child) is None
    (run,) = shop.runs(sweep)
    assert (run["state"], states(run)) == ("killed", ["killed"])


def test_ctrl_c_while_the_last_end_is_told_begins_no_further_run(shop, pid_of, wait_until):
    sweep, place = shop.sweep({"x": {"values": [1, 2]}}), shop.place(train=STUBBORN)
    agent = shop.begin("agent", sweep, place=place)
    pid_of(place)
    folder = RunFolder(shop.run_folders[0].parent / shop.runs(sweep)[0]["uid"])
    server = json.loads((shop.data / "server.json").read_text())["pid"]
    with stopped(server):
        (place / "go-1").touch()
        # The report of the end is on its way and asks for the next run: the server answers when it is awake.
        wait_until(lambda: folder.agents().get(1, {}).get("end"))
        agent.send(signal.SIGINT)
    assert "the agent takes no more runs" in agent.end(code=130)
    first, *more = shop.runs(sweep)
    assert first["state"] == "finished"
    assert [run["state"] for run in more] in ([], ["preempted"]), "handed back, if it was handed out"


# Ctrl-C comes at the moment at which a module is about to be loaded.
EARLY = """
import os, signal, sys
class Finder:
    def find_spec(self, name, *more):
        if name == MODULE:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from besom.__main__ import main
sys.argv = ["besom", "agent", "nothere1"]
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("module", "code", "said"),
    [
        ("click", -signal.SIGINT, ""),
        ("besom.cli.errors", -signal.SIGINT, ""),
        ("besom.agents.loop", 130, "\nbesom: interrupted\n"),
    ],
)
def test_ctrl_c_while_modules_load_shows_no_traceback(tmp_path, module, code, said):
    done = subprocess.run(
        [sys.executable, "-c", EARLY.replace("MODULE", repr(module))], capture_output=True, text=True, timeout=60,
        check=False, env={**os.environ, "BESOM_DIR": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (code, said)
