"""Every command on a real server with a real sweep: six runs, one of which fails."""

from __future__ import annotations

import csv
import io
import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

SCRIPT = """
import besom

with besom.init() as run:
    lr, name = run.config["lr"], run.config["name"]
    print(f"lr {lr} of ☃ {name}", flush=True)
    if lr == 3.0:
        raise ValueError("the learning rate is too large\\nand more of it")
    for step in range(run.config["epochs"]):
        besom.log({"loss": lr + 2 - step + 0.25 * (name == "008"), "odd": float("nan")}, step=step)
"""
SWEEP = """
project: tiny
name: "[red] é"
program: train.py
method: grid
metric: {name: loss, goal: minimize}
parameters:
  lr: {values: [1.0, 2.0, 3.0]}
  name: {values: [a b, "008"]}
  epochs: {value: 3}
"""


Besom = Callable[..., subprocess.CompletedProcess[str]]
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def place(workshop) -> Path:
    """A folder with the script and the sweep file."""
    folder = workshop.place(train=SCRIPT)
    (folder / "sweep.yaml").write_text(SWEEP, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def besom(workshop, place) -> Besom:
    """Runs a command in that folder and checks its exit code."""
    return partial(workshop.besom, place=place)


@pytest.fixture(scope="module")
def ask(besom) -> Ask:
    """Runs a command and returns its answer as data."""
    return lambda *args: json.loads(besom(*args, "--json").stdout)


@pytest.fixture(scope="module")
def ran(besom) -> subprocess.CompletedProcess[str]:
    """The output of `besom run` with two agents."""
    return besom("run", "sweep.yaml", "--agents", "2", WANDB_AGENT_DISABLE_FLAPPING="true")


@pytest.fixture(scope="module")
def sweep(ask, ran) -> dict:
    (found,) = ask("ls", "-p", "tiny")
    return found


def test_run_shows_the_runs_best_first(ran):
    rows = [line.split() for line in ran.stdout.splitlines() if " finished " in line]
    assert [row[2] for row in rows] == ["1.000", "1.250", "2.000", "2.250"]
    assert ran.stdout.count(" failed ") == 2


def test_run_ends_with_the_best_params_and_what_to_do_next(ran, sweep):
    assert "\nBest: run " in ran.stdout
    assert "\n  lr: 1.0\n" in ran.stdout
    assert "\nAs flags: --epochs=3 --lr=1.0 '--name=a b'\n" in ran.stdout
    for step in (f"besom open {sweep['id']}", "besom rerun", "besom server stop", sweep["url"]):
        assert step in ran.stdout


def test_run_tells_the_four_lines_and_each_agents_output_on_stderr(ran, sweep):
    lines = ran.stderr.splitlines()
    assert "Creating sweep from: sweep.yaml" in lines
    assert f"Creating sweep with ID: {sweep['id']}" in lines
    assert "Creating sweep" not in ran.stdout
    assert any(line.startswith("[1] ") and "of ☃" in line for line in lines)
    assert any("6 of 6 runs (2 failed)" in line for line in lines if line.startswith("besom: "))


def test_ls_lists_the_sweep(besom, sweep):
    assert (sweep["state"], sweep["name"], sweep["runs"]["finished"]) == ("finished", "[red] é", 4)
    printed = besom("ls").stdout
    assert "6 of 6" in printed
    assert "[red] é" in printed
    (row,) = csv.DictReader(io.StringIO(besom("ls", "--format", "csv").stdout))
    assert (row["id"], row["runs_failed"]) == (sweep["id"], "2")
    assert yaml.safe_load(besom("ls", "--format", "yaml").stdout)[0]["id"] == sweep["id"]


def test_show_a_sweep(besom, sweep):
    printed = besom("show", f"tiny/{sweep['id']}").stdout
    assert "6 of 6: 4 finished, 2 failed" in printed
    assert "loss, smaller is better" in printed
    assert "ValueError: the learning rate is too large" in printed
    assert sweep["url"] in printed


def test_show_a_run(besom, ask, sweep):
    best = ask("show", sweep["id"])["best"]
    printed = besom("show", best["id"]).stdout
    assert "of ☃" in printed
    assert "summary" in printed
    assert ask("show", best["id"])["uid"] == best["uid"]


@pytest.mark.parametrize("form", ["json", "yaml", "args", "python", "csv"])
def test_best_in_every_format_is_the_same_params(besom, ask, sweep, form):
    text = besom("best", sweep["id"], "--format", form).stdout
    params = ask("show", sweep["id"])["best"]["params"]
    read = {
        "json": json.loads,
        "yaml": yaml.safe_load,
        "python": lambda text: eval(text, {"__builtins__": {}}),
        "args": lambda text: dict(flag[2:].split("=", 1) for flag in shlex.split(text)),
        "csv": lambda text: next(csv.DictReader(io.StringIO(text))),
    }[form](text)
    if form in ("args", "csv"):
        params = {name: str(value) for name, value in params.items()}
    assert read == params


def test_logs_are_what_the_run_printed(besom, ask, sweep):
    run = ask("show", sweep["id"])["run_list"][0]
    assert besom("logs", run["id"]).stdout == f"lr 1.0 of ☃ {run['params']['name']}\n"
    assert besom("logs", run["id"], "-f", "-n", "1").stdout.startswith("lr 1.0")


def test_the_json_export_holds_every_run_with_its_rows(besom, sweep):
    runs = json.loads(besom("export", sweep["id"], "--json", "--history").stdout)
    assert [run["params"]["lr"] for run in runs] == [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]
    assert list(runs[0]) == [
        "id", "name", "state", "attempt", "params", "config", "summary", "score", "started", "ended", "stop_reason",
        "error", "history",
    ]  # fmt: skip
    rows = runs[0]["history"]
    assert [(row["_step"], row["loss"], row["odd"]) for row in rows] == [
        (0, 3.0, "NaN"), (1, 2.0, "NaN"), (2, 1.0, "NaN"),
    ]  # fmt: skip
    assert {"_timestamp", "_runtime"} <= set(rows[0])
    assert "learning rate is too large" in runs[-1]["error"]


def test_the_csv_export_goes_into_a_file(besom, place, sweep):
    besom("export", sweep["id"], "-o", "runs.csv")
    with (place / "runs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert (rows[0]["params.lr"], rows[0]["summary.odd"], rows[1]["params.name"]) == ("1.0", "nan", "008")


def test_edit_changes_the_name_and_tells_so(besom, ask, sweep):
    assert "name 'wider'" in besom("edit", sweep["id"], "--name", "wider").stderr
    assert ask("show", sweep["id"])["name"] == "wider"
    besom("edit", sweep["id"], code=2)


def test_rerun_makes_the_next_attempt_of_failed_runs(besom, ask, sweep):
    failed = [run for run in ask("show", sweep["id"])["run_list"] if run["state"] == "failed"]
    assert "2 runs queued" in besom("rerun", sweep["id"], "--failed").stderr
    assert ask("show", sweep["id"])["state"] == "running"
    besom("agent", sweep["id"], "--count", "2")
    again = [ask("show", run["id"]) for run in failed]
    assert [(run["attempt"], run["state"]) for run in again] == [(2, "failed"), (2, "failed")]
    besom("rerun", failed[0]["id"])
    assert ask("show", failed[0]["id"])["state"] == "queued"


def test_rm_deletes_a_run_and_a_sweep(besom, ask, place, sweep):
    text = (place / "sweep.yaml").read_text(encoding="utf-8").replace("lr: {values: [1.0, 2.0, 3.0]}", "lr: 1.0")
    (place / "small.yaml").write_text(text, encoding="utf-8")
    besom("run", "small.yaml", "-p", "gone")
    (small,) = ask("ls", "-p", "gone")
    first, second = ask("show", small["id"])["run_list"]
    assert first["id"] in besom("rm", first["id"]).stderr
    assert [run["id"] for run in ask("show", small["id"])["run_list"]] == [second["id"]]
    besom("rm", small["id"])
    assert ask("ls", "-p", "gone") == []
    assert "there is no sweep" in besom("show", small["id"], code=1).stderr


@pytest.mark.parametrize(
    "args",
    [
        ("show", "nothere1"), ("best", "nothere1"), ("logs", "nothere"), ("export", "nothere1"), ("rerun", "nothere1"),
        ("rm", "nothere1"), ("pause", "nothere1"), ("edit", "nothere1", "--name", "x"), ("sweep", "--stop", "nothere1"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_one_sentence(besom, args):
    said = besom(*args, code=1).stderr
    assert said.startswith("besom: there is no ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("path", ["a/b/c/d", "//", ""])
def test_a_path_of_another_form_is_one_sentence(besom, path):
    assert "PROJECT/ID" in besom("show", path, code=2).stderr


def test_a_server_that_is_away_is_one_sentence(besom):
    said = besom("ls", code=1, BESOM_URL="http://127.0.0.1:9").stderr
    assert said.startswith("besom: no Besom server answers at http://127.0.0.1:9")
    assert said.count("\n") == 1


def test_a_pipe_that_closes_early_is_quiet(workshop, place, sweep):
    command = f"{shlex.quote(sys.executable)} -m besom export {sweep['id']} --json --history | head -c 1"
    done = subprocess.run(
        ["/bin/sh", "-c", command], env=workshop.environ, cwd=place, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("[", "")


def test_no_color_is_written_where_no_terminal_is(besom, sweep):
    assert "\x1b" not in besom("show", sweep["id"]).stdout


LONG = """
import besom

with besom.init() as run:
    for number in range(40_000):
        print(number, "x" * run.config["lr"])
"""


def test_the_end_of_a_long_log_is_found(workshop, besom, ask, place):
    (place / "long.py").write_text(LONG, encoding="utf-8")
    (place / "long.yaml").write_text("{program: long.py, method: grid, parameters: {lr: {value: 10}}}\n")
    sweep = ask("sweep", "long.yaml", "-p", "long")
    workshop.command("-m", "besom", "agent", sweep["id"], place=place)
    (run,) = ask("show", sweep["id"])["run_list"]
    assert besom("logs", run["id"], "-n", "2").stdout == f"39998 {'x' * 10}\n39999 {'x' * 10}\n"
    assert besom("logs", run["id"], "-n", "30000").stdout.startswith(f"10000 {'x' * 10}\n")
    assert besom("logs", run["id"]).stdout.count("\n") == 40_000
    assert f"39999 {'x' * 10}" in besom("show", run["id"]).stdout


ONE_LINE = """
import besom, sys

with besom.init() as run:
    for piece in range(5):
        sys.stdout.write("x" * 1024 * 1024)
    print("END")
"""


def test_a_line_of_any_length_is_printed_whole_and_shown_in_part(workshop, besom, ask, place):
    (place / "one.py").write_text(ONE_LINE, encoding="utf-8")
    (place / "one.yaml").write_text("{program: one.py, method: grid, parameters: {lr: {value: 10}}}\n")
    sweep = ask("sweep", "one.yaml", "-p", "long")
    workshop.command("-m", "besom", "agent", sweep["id"], place=place)
    (run,) = ask("show", sweep["id"])["run_list"]
    assert len(besom("logs", run["id"]).stdout) == 5 * 1024 * 1024 + len("END\n")
    end = besom("logs", run["id"], "-n", "1")
    assert (len(end.stdout), end.stdout[-5:]) == (4 * 1024 * 1024, "xEND\n")
    assert "without -n all is shown" in end.stderr
    assert len(besom("show", run["id"]).stdout) < 10_000


OFFLINE = """
import besom

with besom.init(project="offline", id="away", config={"lr": 0.5}):
    for step in range(3):
        besom.log({"loss": 1.0 - step})
"""


def test_sync_sends_what_was_recorded_offline_once(workshop, besom, ask, place):
    (place / "offline.py").write_text(OFFLINE, encoding="utf-8")
    done = workshop.command("offline.py", place=place, BESOM_MODE="offline")
    assert done.returncode == 0, done.stderr
    assert "there is no sweep and no run offline/away" in besom("show", "offline/away", code=1).stderr
    assert "besom: 1 of " in besom("sync").stderr
    run = ask("show", "offline/away")
    assert (run["state"], run["summary"]["loss"], run["config"]["lr"]) == ("finished", -1.0, 0.5)
    assert "besom: 0 of " in besom("sync", str(workshop.folder / "besom" / "state")).stderr


def test_sync_of_a_folder_without_runs_is_a_sentence(besom, place):
    said = besom("sync", str(place), code=2).stderr
    assert said.startswith(f"besom: {place} holds no run folder")
    assert "cannot be read" in besom("sync", "nothere", code=2).stderr
