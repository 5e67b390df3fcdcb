"""Agents with a real server, real children and real signals."""

import json
import os
import re
import shutil
import signal
import socket
from collections import Counter
from pathlib import Path

import pytest
from workshop import Workshop

from besom.agents.loop import Options, program_agent
from besom.agents.screen import Screen
from besom.client.connection import Connection
from besom.client.run_folder import RunFolder
from besom.common.discovery import process_started

LOGS = """
    import besom
    with besom.init() as run:
        print("training with x =", run.config["x"], "é ☃")
        for step in range(3):
            besom.log({"loss": run.config["x"] + step})
"""
FAILS = """
    import besom
    with besom.init() as run:
        besom.log({"loss": 1.0})
        raise ValueError("x is no good")
"""
# Logs a row, tells its pid and one of a child of its own, then waits to be told to go on.
WAITS = """
    import besom, json, os, subprocess, time
    run = besom.init()
    besom.log({"loss": 1.0})
    sleeper = subprocess.Popen(["sleep", "600"])
    name = f"pids-{os.environ['BESOM_ATTEMPT']}.json"
    with open(name + "~", "w") as file:
        json.dump([os.getpid(), sleeper.pid], file)
    os.rename(name + "~", name)
    while not os.path.exists("go"):
        time.sleep(0.02)
    besom.log({"loss": 0.5})
    sleeper.kill()
"""
ONE = {"x": {"value": 1}}


def pids(place, wait_until, attempt=1):
    """The pids of a waiting child and its child."""
    file = place / f"pids-{attempt}.json"
    wait_until(file.exists)
    return json.loads(file.read_text())


def ended(shop):
    """How the run's first attempt ended, as its agent keeps it until the server has heard it; None before."""
    return RunFolder(shop.run_folders[0]).agents().get(1, {}).get("end")


def gone(pids):
    return all(process_started(pid) is None for pid in pids)


def test_an_agent_trains_a_sweep_to_its_end(workshop):
    sweep = workshop.sweep()
    done = workshop.besom("agent", sweep, place=workshop.place(train=LOGS))
    runs = workshop.runs(sweep)
    assert [run["state"] for run in runs] == ["finished"] * 3
    assert [[row["loss"] for row in workshop.history(run)] for run in runs] == [[1, 2, 3], [2, 3, 4], [3, 4, 5]]
    assert workshop.console(runs[1]).decode() == "training with x = 2 é ☃\n"
    assert done.stdout.splitlines() == [f"training with x = {x} é ☃" for x in (1, 2, 3)]
    assert workshop.state(sweep)["state"] == "finished"


def test_it_tells_place_params_command_score_and_what_to_do_next(workshop):
    sweep = workshop.sweep({"x": {"values": [1, 2]}}, metric={"name": "loss", "goal": "minimize"})
    said = workshop.besom("agent", sweep, place=workshop.place(train=LOGS)).stderr
    assert "besom: run 1 of 2: " in said
    assert ": x=1\n" in said
    assert "besom:   /usr/bin/env python train.py --x=2\n" in said
    assert ": loss 1.000, the best so far\n" in said
    assert ": loss 2.000; best so far 1.000 (" in said
    assert f"besom best {sweep}" in said


def test_a_quiet_agent_tells_only_which_runs_begin_and_how_they_end(workshop):
    params = {"x": {"values": [1, 2]}, "epochs": {"value": 3}}
    sweep = workshop.sweep(params, metric={"name": "loss", "goal": "minimize"})
    said = workshop.besom("agent", "--quiet", sweep, place=workshop.place(train=LOGS)).stderr.splitlines()
    assert [re.sub(r"after \S+ s", "after T s", line.replace(run["id"], "ID")) for line, run in
            zip(said, [run for run in workshop.runs(sweep) for _ in range(2)], strict=True)] == [
        "besom: run 1 of 2: ID: x=1",
        "besom: run 1 of 2 finished after T s: loss 1.000, the best so far",
        "besom: run 2 of 2: ID: x=2",
        "besom: run 2 of 2 finished after T s: loss 2.000",
    ]  # fmt: skip


def test_a_quiet_agent_does_not_repeat_a_traceback(workshop):
    sweep = workshop.sweep(ONE)
    done = workshop.besom("agent", "-q", sweep, place=workshop.place(train=FAILS))
    assert done.stdout.count("Traceback") == 1
    assert "Traceback" not in done.stderr
    (run,) = workshop.runs(sweep)
    assert re.search(rf"failed \(exit code 1\) after .*; its log: besom logs {run['id']}\n$", done.stderr)


def test_a_short_run_costs_one_request(workshop, monkeypatch):
    asked = []
    call = Connection.call

    def counted(line, method, path, *args, **kwargs):
        asked.append(path.rpartition("/")[2])
        return call(line, method, path, *args, **kwargs)

    sweep, place = workshop.sweep(), workshop.place(train=LOGS)
    monkeypatch.chdir(place)
    monkeypatch.setattr(Connection, "call", counted)
    screen = Screen(lambda piece: None, lambda line: None)
    # No heartbeat comes in between, and no run takes so long that it is shipped before its end.
    monkeypatch.setattr("besom.agents.shipping.LOOK_S", 600.0)
    options = Options(sweep, environ={**workshop.environ, "BESOM_AGENT_HEARTBEAT": "600"})
    ending = program_agent(options, workshop.server, lambda: workshop.server, screen)
    assert ending.code == 0
    assert [path for path in asked if path != "heartbeat"] == ["agents", "claim", "finish", "finish", "finish", "end"]
    assert [[row["loss"] for row in workshop.history(run)] for run in workshop.runs(sweep)] == [
        [1, 2, 3], [2, 3, 4], [3, 4, 5],
    ]  # fmt: skip


def test_nothing_is_left_on_disk_of_runs_that_went_well(workshop):
    before = workshop.run_folders
    workshop.besom("agent", workshop.sweep(), place=workshop.place(train=LOGS))
    assert workshop.run_folders == before


def test_a_failed_run_shows_its_traceback_and_where_its_log_is(workshop):
    sweep = workshop.sweep(ONE)
    done = workshop.besom("agent", sweep, place=workshop.place(train=FAILS))
    (run,) = workshop.runs(sweep)
    assert run["state"] == "failed"
    assert run["error"].endswith("ValueError: x is no good")
    assert "besom:   | ValueError: x is no good\n" in done.stderr
    assert "failed (exit code 1) after" in done.stderr
    (told,) = [line for line in done.stderr.splitlines() if "the whole log" in line]
    assert f"besom logs {run['id']}" in told
    assert "ValueError" in Path(told.rpartition(" ")[2]).read_text()
    assert [row["loss"] for row in workshop.history(run)] == [1]


def test_a_program_that_is_not_there_takes_no_run(workshop):
    sweep, place = workshop.sweep(), workshop.place()
    done = workshop.besom("agent", sweep, place=place, code=10)
    assert f"the program 'train.py' was not found in {place}" in done.stderr
    assert workshop.runs(sweep) == []


def test_count_limits_the_agent_and_not_the_sweep(workshop):
    sweep = workshop.sweep()
    done = workshop.besom("agent", sweep, "--count", "2", place=workshop.place(train=LOGS))
    assert "2 runs started, as --count says" in done.stderr
    assert len(workshop.runs(sweep)) == 2
    assert workshop.state(sweep)["state"] == "running"


def test_count_zero_is_no_limit(workshop):
    sweep = workshop.sweep()
    workshop.besom("agent", sweep, "--count", "0", place=workshop.place(train=LOGS))
    assert len(workshop.runs(sweep)) == 3


def test_a_dry_run_prints_the_exact_argv_and_takes_none(workshop):
    sweep = workshop.sweep({"note": {"values": ["two words", "b"]}, "x": {"value": 1e-05}})
    done = workshop.besom("agent", sweep, "--dry-run", place=workshop.place())
    assert done.stdout == "/usr/bin/env python train.py '--note=two words' --x=1e-05\n"
    found = json.loads(workshop.besom("agent", sweep, "--dry-run", "--json").stdout)
    assert found["params"] == {"note": "two words", "x": 1e-05}
    assert workshop.runs(sweep) == []
    assert workshop.state(sweep)["state"] == "pending"


@pytest.mark.parametrize("extra", [[], ["--dry-run"]], ids=["agent", "dry-run"])
def test_an_unknown_sweep_is_one_sentence(workshop, extra):
    done = workshop.besom("agent", "nosuch00", *extra, place=workshop.place(train=LOGS), code=11)
    assert "there is no sweep nosuch00" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_sweep_of_another_project_is_not_this_one(workshop):
    sweep = workshop.sweep()
    workshop.besom("agent", f"other/{sweep}", place=workshop.place(train=LOGS), code=11)
    workshop.besom("agent", sweep, "-p", "other", place=workshop.place(train=LOGS), code=11)
    done = workshop.besom("agent", f"tests/{sweep}", "-p", "other", place=workshop.place(train=LOGS), code=2)
    assert "contradicts" in done.stderr
    assert workshop.runs(sweep) == []


def test_a_sweep_that_has_ended_has_nothing_for_an_agent(workshop):
    sweep, place = workshop.sweep(ONE), workshop.place(train=LOGS)
    workshop.besom("agent", sweep, place=place)
    done = workshop.besom("agent", sweep, place=place, code=12)
    assert "is finished" in done.stderr


def test_without_a_server_an_agent_makes_no_data_folder(tmp_path):
    fresh = Workshop(tmp_path)
    done = fresh.besom("agent", "abcdefgh", place=fresh.place(train=LOGS), code=9)
    assert not fresh.data.exists()
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_server_that_does_not_answer_is_one_sentence(tmp_path):
    fresh = Workshop(tmp_path)
    done = fresh.besom(
        "agent", "abcdefgh", place=fresh.place(train=LOGS), code=9, BESOM_URL="http://127.0.0.1:9", BESOM_TOKEN="t"
    )
    assert "http://127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


def test_several_agents_side_by_side_share_the_runs(workshop):
    seen = """
        import besom, os, time
        with besom.init() as run:
            time.sleep(0.2)
            run.config["gpu"] = os.environ["CUDA_VISIBLE_DEVICES"]
    """
    sweep, place = workshop.sweep({"x": {"values": list(range(8))}}), workshop.place(train=seen)
    agents = [workshop.begin("agent", sweep, place=place, CUDA_VISIBLE_DEVICES=str(k)) for k in range(2)]
    for agent in agents:
        agent.end(code=0)
    runs = workshop.runs(sweep)
    assert sorted(run["params"]["x"] for run in runs) == list(range(8))
    assert [run["state"] for run in runs] == ["finished"] * 8
    assert set(Counter(run["config"]["gpu"] for run in runs)) == {"0", "1"}


def test_output_of_any_bytes_is_kept_as_it_is(workshop):
    binary = """
        import os
        os.write(1, bytes(range(256)))
        os.write(2, b"\\x1b[31mred\\x1b[0m 10%\\r 20%")
    """
    sweep = workshop.sweep(ONE)
    workshop.besom("agent", sweep, place=workshop.place(train=binary))
    (run,) = workshop.runs(sweep)
    assert workshop.console(run) == bytes(range(256)) + b"\x1b[31mred\x1b[0m 10%\r 20%"
    assert run["state"] == "finished"


def test_a_killed_agent_takes_its_child_along_and_the_next_one_clears_up(workshop, wait_until):
    sweep, place = workshop.sweep(ONE), workshop.place(train=WAITS)
    agent = workshop.begin("agent", sweep, place=place)
    family = pids(place, wait_until)
    agent.process.kill()
    agent.process.wait()
    wait_until(lambda: gone(family))
    (place / "go").touch()
    second = workshop.besom("agent", sweep, place=place)
    (run,) = workshop.runs(sweep)
    assert f"shipped what an earlier agent left of run {run['id']}" in second.stderr
    assert [attempt["state"] for attempt in run["attempts"]] == ["crashed", "finished"]
    assert run["state"] == "finished"
    assert [row["loss"] for row in workshop.history(run)] == [1.0, 0.5]


def test_an_orphan_that_survived_its_agent_is_ended_by_the_next_one(workshop, wait_until):
    sweep, place = workshop.sweep(ONE), workshop.place(train=WAITS)
    agent = workshop.begin("agent", sweep, place=place)
    family = pids(place, wait_until)
    # Without its guard, which a person may end by mistake, nothing kills the child at once.
    (guard,) = children(agent.process.pid, "/bin/sh")
    os.kill(guard, signal.SIGKILL)
    agent.process.kill()
    agent.process.wait()
    assert not gone(family)
    (place / "go").touch()
    workshop.besom("agent", sweep, place=place)
    wait_until(lambda: gone(family))
    (run,) = workshop.runs(sweep)
    assert run["state"] == "finished"


def children(pid, program):
    """Child processes of a process that run the program."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
                words = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if int(stat[1]) == pid and words[0] == program.encode():
                found.append(int(entry))
    return found


def test_a_run_outlives_its_server_and_loses_nothing_and_the_next_one_follows(tmp_path, wait_until):
    shop = Workshop(tmp_path)
    shop.besom("server", "start")
    try:
        sweep, place = shop.sweep({"x": {"values": [1, 2]}}), shop.place(train=WAITS)
        agent = shop.begin("agent", sweep, place=place)
        pids(place, wait_until)
        shop.besom("server", "stop")
        agent.wait_for("no Besom server answers")
        (place / "go").touch()
        wait_until(lambda: ended(shop))
        shop.besom("server", "start")
        said = agent.end(code=0)
        assert "the server answers again" in said
        runs = shop.runs(sweep)
        assert [(run["state"], len(run["attempts"])) for run in runs] == [("finished", 1)] * 2
        assert [[row["loss"] for row in shop.history(run)] for run in runs] == [[1.0, 0.5]] * 2
    finally:
        shop.close()


def test_a_server_that_moved_while_another_took_its_address_is_found_again(tmp_path, wait_until):
    shops = [Workshop(tmp_path / name) for name in ("ours", "theirs")]
    for shop in shops:
        shop.folder.mkdir()
    ours, theirs = shops
    # Not of the row in which servers look for a free port: another test would take it in between.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    ours.besom("server", "start", "--port", port)
    try:
        sweep, place = ours.sweep(ONE), ours.place(train=WAITS)
        agent = ours.begin("agent", sweep, place=place)
        pids(place, wait_until)
        ours.besom("server", "stop")
        agent.wait_for("no Besom server answers")
        theirs.besom("server", "start", "--port", port)
        (place / "go").touch()
        wait_until(lambda: ended(ours))
        ours.besom("server", "start")
        agent.end(code=0)
        (run,) = ours.runs(sweep)
        assert (run["state"], len(run["attempts"])) == ("finished", 1)
        assert [row["loss"] for row in ours.history(run)] == [1.0, 0.5]
    finally:
        for shop in shops:
            shop.close()


def test_a_server_that_stays_away_ends_the_agent_and_keeps_the_run(tmp_path, wait_until):
    shop = Workshop(tmp_path)
    shop.besom("server", "start")
    try:
        sweep, place = shop.sweep(ONE), shop.place(train=WAITS)
        agent = shop.begin("agent", sweep, place=place, BESOM_AGENT_SERVER_PATIENCE="1")
        pids(place, wait_until)
        shop.besom("server", "stop")
        (place / "go").touch()
        said = agent.end(code=9)
        assert "besom sync" in said
        shop.besom("server", "start")
        shop.besom("agent", sweep, place=place)
        (run,) = shop.runs(sweep)
        assert [attempt["state"] for attempt in run["attempts"]] == ["finished"], "as its own agent saw it end"
        assert [row["loss"] for row in shop.history(run)] == [1.0, 0.5]
    finally:
        shop.close()


def test_an_agent_is_listed_and_turned_off_after_its_run(workshop, wait_until):
    sweep, place = workshop.sweep(), workshop.place(train=WAITS)
    agent = workshop.begin("agent", sweep, place=place)
    pids(place, wait_until)
    (row,) = json.loads(workshop.besom("agents", "ls", sweep, "--json").stdout)
    assert row["state"] == "alive"
    assert row["pid"] == agent.process.pid
    assert row["id"] in [each["id"] for each in json.loads(workshop.besom("agents", "--json").stdout)]
    assert row["running"] == [run["id"] for run in workshop.runs(sweep)]
    workshop.besom("agents", "off", row["id"][:8])
    agent.wait_for("the agent ends after the run")
    (place / "go").touch()
    agent.end(code=8)
    assert [run["state"] for run in workshop.runs(sweep)] == ["finished"]
    (row,) = json.loads(workshop.besom("agents", "ls", sweep, "--json").stdout)
    assert row["state"] == "ended"


def test_an_agent_can_be_turned_off_at_once(workshop, wait_until):
    sweep, place = workshop.sweep(), workshop.place(train=WAITS)
    agent = workshop.begin("agent", sweep, place=place)
    family = pids(place, wait_until)
    (row,) = json.loads(workshop.besom("agents", "ls", sweep, "--json").stdout)
    workshop.besom("agents", "off", row["id"], "--now")
    agent.end(code=8)
    assert gone(family)
    assert [run["state"] for run in workshop.runs(sweep)] == ["killed"]


def test_a_format_before_the_command_is_one_sentence(workshop):
    done = workshop.besom("agents", "--json", "ls", code=2)
    assert "behind the command: besom agents ls --format json" in done.stderr


def test_an_unknown_agent_is_one_sentence(workshop):
    done = workshop.besom("agents", "off", "zzzzzzzz", code=1)
    assert "there is no agent zzzzzzzz" in done.stderr


def test_the_real_wandb_is_left_to_the_child_offline(workshop):
    tells = """
        import json, os
        print(json.dumps([os.environ.get("WANDB_MODE"), "on_path" in os.environ.get("PYTHONPATH", "")]))
    """
    sweep, place = workshop.sweep(ONE), workshop.place(train=tells)
    assert json.loads(workshop.besom("agent", sweep, "--wandb", "real", place=place).stdout) == ["offline", False]
    sweep = workshop.sweep(ONE)
    assert json.loads(workshop.besom("agent", sweep, place=place).stdout) == [None, True]


def test_a_program_in_a_shell_script_is_trained_too(workshop):
    place = workshop.place(train=LOGS)
    script = place / "train.sh"
    script.write_text('#!/bin/sh\nset -e\necho "from a shell"\npython train.py "$@"\n')
    script.chmod(0o755)
    sweep = workshop.sweep(ONE, program="train.sh", command=["./train.sh", "${args}"])
    done = workshop.besom("agent", sweep, place=place)
    (run,) = workshop.runs(sweep)
    assert done.stdout.startswith("from a shell\n")
    assert [row["loss"] for row in workshop.history(run)] == [1, 2, 3]


def test_a_program_that_vanishes_makes_the_run_fail_with_the_sentence(workshop):
    place = workshop.place(train="import os; os.remove('train.py')")
    sweep = workshop.sweep({"x": {"values": [1, 2]}})
    workshop.besom("agent", sweep, place=place)
    first, second = workshop.runs(sweep)
    assert first["state"] == "finished"
    assert second["state"] == "failed"
    assert f"the program 'train.py' was not found in {place}" in second["error"]
    assert second["attempts"][0]["exit_code"] == 127


def test_a_wrong_option_is_one_sentence(workshop):
    sweep = workshop.sweep()
    done = workshop.besom("agent", sweep, "--term-timeout", "3", code=2)
    assert "--term-timeout needs --forward-signals" in done.stderr
    assert workshop.runs(sweep) == []


def test_what_the_runs_were_warned_of_is_said_at_the_end(workshop):
    sweep = workshop.sweep({"x": {"values": [1, 2]}}, metric={"name": "accuracy", "goal": "maximize"})
    said = workshop.besom("agent", sweep, place=workshop.place(train=LOGS)).stderr.splitlines()
    assert "accuracy" in said[-1]
    assert "never logged" in said[-1]


@pytest.mark.skipif(shutil.which("setsid") is None, reason="needs setsid(1)")
def test_an_agent_goes_on_when_nobody_reads_its_output_any_more(workshop):
    sweep = workshop.sweep()
    done = workshop.command(
        "-c", "import subprocess, sys; p = subprocess.Popen([sys.executable, '-m', 'besom', 'agent', sys.argv[1]],"
        " stdout=subprocess.PIPE, stderr=subprocess.STDOUT); p.stdout.readline(); p.stdout.close(); sys.exit(p.wait())",
        sweep, place=workshop.place(train=LOGS),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [run["state"] for run in workshop.runs(sweep)] == ["finished"] * 3
