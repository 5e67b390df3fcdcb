"""The tutorial's sweep from end to end, and the same with everything killed on the way."""

import contextlib
import json
import os
import random
import re
import shutil
import signal
from pathlib import Path

from workshop import Workshop, wait_until

from besom.common.discovery import read_discovery

DIGITS = Path(__file__).parents[2] / "examples" / "digits"

# Every row names its attempt and a counter and carries a payload of varying length, so that a row that is lost,
# doubled or spliced is seen. The list of what `log` returned from is written beside it, by the script itself.
TALKS = """
    import besom, os, random, time
    attempt, uid = os.environ["BESOM_ATTEMPT"], os.environ["BESOM_RUN_UID"]
    source = random.Random(f"{uid}-{attempt}")
    with besom.init() as run, open(f"logged-{uid}-{attempt}", "a") as logged:
        for step in range(60):
            payload = "é" * source.randrange(50)
            besom.log({"loss": run.config["x"] + 1 / (step + 1), "attempt": int(attempt), "payload": payload})
            logged.write(f"{step} {len(payload)}\\n")
            logged.flush()
            time.sleep(0.02)
"""


def test_the_sweep_of_the_readme_ends_with_the_best_of_six(tmp_path):
    workshop = Workshop(tmp_path)
    try:
        place = tmp_path / "digits"
        shutil.copytree(DIGITS, place, ignore=shutil.ignore_patterns("wandb"))
        done = workshop.besom("run", "sweep.yaml", place=place)
        (sweep,) = json.loads(workshop.besom("ls", "--json").stdout)
        runs = json.loads(workshop.besom("export", sweep["id"], "--format", "json", "--history").stdout)
        assert len({json.dumps(run["params"], sort_keys=True) for run in runs}) == len(runs) == 6
        assert {run["state"] for run in runs} == {"finished"}
        for run in runs:
            losses = [row["test_loss"] for row in run["history"] if "test_loss" in row]
            assert run["score"] == min(losses)
            said = re.findall(r"test_loss ([\d.]+)", workshop.besom("logs", run["id"]).stdout)
            assert [f"{loss:.3f}" for loss in losses] == said
        best = min(runs, key=lambda run: run["score"])
        assert json.loads(workshop.besom("best", sweep["id"], "--format", "json").stdout) == best["params"]
        ids = {run["id"] for run in runs}
        table = [line.split()[0] for line in done.stdout.splitlines() if line.split() and line.split()[0] in ids]
        assert table == [run["id"] for run in sorted(runs, key=lambda run: run["score"])]
    finally:
        workshop.close()


def rows_that_log_returned_from(place, run, attempt):
    return [
        tuple(map(int, line.split()))
        for line in (place / f"logged-{run['uid']}-{attempt}").read_text().splitlines()
        if line.count(" ") == 1
    ]


def test_agents_scripts_and_the_server_may_be_killed_and_the_numbers_are_all_there(tmp_path):
    """Each point has one run, each run one final state, each row that `log` returned from is there once."""
    seed = int(os.environ.get("BESOM_TEST_SEED", "7"))
    source = random.Random(seed)
    workshop = Workshop(tmp_path)
    try:
        workshop.besom("server", "start")
        sweep = workshop.sweep(
            {"x": {"values": list(range(10))}}, metric={"name": "loss"}, retry={"crashed": 20},
        )  # fmt: skip
        place = workshop.place(train=TALKS)
        agents = [workshop.begin("agent", sweep, place=place) for _ in range(2)]
        for _ in range(6):
            done = sum(run["state"] == "finished" for run in workshop.runs(sweep))
            # Longer than a lease: an agent may die between taking a run and noting that it has it.
            wait_until(
                lambda done=done: sum(run["state"] == "finished" for run in workshop.runs(sweep)) > done, timeout_s=180
            )
            victim = source.choice(["server", "agent", "script"])
            if victim == "server":
                os.kill(read_discovery(workshop.data).pid, signal.SIGKILL)
                workshop.besom("server", "start")
            elif victim == "agent":
                agents.pop(source.randrange(2)).send(signal.SIGKILL)
                agents.append(workshop.begin("agent", sweep, place=place))
            else:
                kill_a_script(source, workshop)
        for agent in agents:
            agent.process.wait(timeout=180)
        runs = workshop.runs(sweep)
        assert sorted(run["params"]["x"] for run in runs) == list(range(10)), f"seed {seed}"
        assert {run["state"] for run in runs} == {"finished"}, f"seed {seed}"
        assert workshop.state(sweep)["state"] == "finished", f"seed {seed}"
        for run in runs:
            rows = workshop.history(run)
            stored = [(row["_step"], len(row["payload"])) for row in rows]
            assert {row["attempt"] for row in rows} == {run["attempt"]}, f"seed {seed}, run {run['id']}"
            assert stored == rows_that_log_returned_from(place, run, run["attempt"]), f"seed {seed}, run {run['id']}"
        assert any(run["attempt"] > 1 for run in runs) or seed != 7
        assert workshop.run_folders == []
    finally:
        workshop.close()


def kill_a_script(source, workshop):
    """Kills one of the scripts that train now, by the pid in its run folder."""
    pids = []
    for folder in workshop.run_folders:
        try:
            pids.append(json.loads((folder / "agent-1.json").read_text())["child"]["pid"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # between two runs: the folder is being made or removed
    if pids:
        with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
            os.kill(source.choice(pids), signal.SIGKILL)
