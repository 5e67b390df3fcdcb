"""`besom run`: one command from a sweep file to its result, and what Ctrl-C means to it."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from workshop import Workshop

from besom.common.discovery import process_started

LOGS = """
    import besom
    with besom.init() as run:
        besom.log({"loss": run.config["x"] * 0.5})
"""
# Tells its pid, then waits to be told to go on.
WAITS = """
    import besom, os, time
    with besom.init() as run:
        x = run.config["x"]
        with open(f"pid-{x}~", "w") as file:
            file.write(str(os.getpid()))
        os.rename(f"pid-{x}~", f"pid-{x}")
        while not os.path.exists("go"):
            time.sleep(0.02)
        besom.log({"loss": x})
"""
SWEEP = """
project: tiny
program: train.py
method: grid
metric: {name: loss, goal: minimize}
parameters: {x: {values: [1, 2, 3, 4]}}
"""


def _place(workshop: Workshop, train: str, sweep: str = SWEEP) -> Path:
    place = workshop.place(train=train)
    (place / "sweep.yaml").write_text(sweep, encoding="utf-8")
    return place


def _sweep_of(workshop: Workshop, text: str) -> dict[str, Any]:
    found = re.search(r"Creating sweep with ID: (\w+)", text)
    assert found, text
    return workshop.state(found[1])


def _pid(place: Path, x: int, wait_until) -> int:
    wait_until((place / f"pid-{x}").exists)
    return int((place / f"pid-{x}").read_text())


def test_a_sweep_runs_to_its_end(workshop):
    done = workshop.besom("run", "sweep.yaml", "--agents", "2", place=_place(workshop, LOGS))
    sweep = _sweep_of(workshop, done.stderr)
    assert (sweep["state"], sweep["runs"]["finished"]) == ("finished", 4)
    assert "besom: 4 of 4 runs, best loss 0.5000 (x=1)" in done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if " finished " in line]
    assert [row[2:4] for row in rows] == [["0.5000", "1"], ["1.000", "2"], ["1.500", "3"], ["2.000", "4"]]
    assert "As flags: --x=1" in done.stdout


def test_a_count_is_that_of_all_agents_together(workshop):
    done = workshop.besom("run", "sweep.yaml", "--agents", "2", "--count", "3", place=_place(workshop, LOGS))
    sweep = _sweep_of(workshop, done.stderr)
    assert (sweep["state"], sum(sweep["runs"].values())) == ("running", 3)
    assert f"besom agent {sweep['entity']}/tiny/{sweep['id']}" in done.stdout


def test_the_first_ctrl_c_lets_the_current_runs_finish(workshop, wait_until):
    place = _place(workshop, WAITS)
    running = workshop.begin("run", "sweep.yaml", "--agents", "2", place=place)
    _pid(place, 1, wait_until)
    _pid(place, 2, wait_until)
    running.send(signal.SIGINT)
    running.wait_for("ctrl-c received")
    (place / "go").touch()
    text = running.end(130)
    sweep = _sweep_of(workshop, text)
    assert (sweep["state"], sweep["runs"]["finished"], sum(sweep["runs"].values())) == ("running", 2, 2)
    assert f"Continue  besom agent {sweep['entity']}/tiny/{sweep['id']}" in text


def test_the_second_ctrl_c_ends_the_current_runs(workshop, wait_until):
    place = _place(workshop, WAITS)
    running = workshop.begin("run", "sweep.yaml", place=place)
    pid = _pid(place, 1, wait_until)
    running.send(signal.SIGINT)
    running.wait_for("ctrl-c received")
    running.send(signal.SIGINT)
    text = running.end(130)
    assert process_started(pid) is None
    assert _sweep_of(workshop, text)["runs"]["killed"] == 1


def test_what_a_ctrl_c_does_is_said_once(workshop, wait_until):
    place = _place(workshop, WAITS)
    running = workshop.begin("run", "sweep.yaml", "--agents", "2", place=place)
    for x in (1, 2):
        _pid(place, x, wait_until)
    running.send(signal.SIGINT)
    running.wait_for("Send ctrl-c again to terminate them.")
    running.send(signal.SIGINT)
    said = running.end(130)
    assert said.count("besom: ctrl-c received. Waiting for runs to end.") == 1
    assert said.count("besom: Terminating and waiting for the run to end.") == 1
    assert "agent ends" not in said


def test_agents_and_their_children_die_with_the_command(workshop, wait_until):
    place = _place(workshop, WAITS)
    running = workshop.begin("run", "sweep.yaml", place=place)
    pid = _pid(place, 1, wait_until)
    running.send(signal.SIGKILL)
    wait_until(lambda: process_started(pid) is None)


def test_a_script_that_always_fails_ends_the_command_with_the_agents_code(workshop):
    place = _place(workshop, "raise SystemExit('it cannot work')")
    done = workshop.besom("run", "sweep.yaml", place=place, code=3)
    assert "Detected 3 failed runs in the first 60 seconds" in done.stderr
    assert done.stderr.count("it cannot work") == 3, "once a run, live"
    assert "Repeat    besom rerun" in done.stdout


def test_each_thing_is_said_once(workshop):
    script = "import besom\nwith besom.init():\n    besom.log({'los': 1})"
    sweep = SWEEP.replace("[1, 2, 3, 4]", "[1]").replace("parameters: {", "parameters: {epochs: {value: 3}, ")
    done = workshop.besom("run", "sweep.yaml", "--agents", "2", place=_place(workshop, script, sweep))
    said = done.stderr + done.stdout
    assert said.count("`x` was set by the sweep but never read by the script") == 1
    assert done.stdout.count("metric `loss` was never logged; logged keys: los") == 1
    assert "`epochs`" not in said
    for noise in ("works on", "see it at", "/usr/bin/env", "results:", "agent ends"):
        assert noise not in said


def test_a_canceled_sweep_ends_the_command(workshop, wait_until):
    place = _place(workshop, WAITS)
    running = workshop.begin("run", "sweep.yaml", place=place)
    _pid(place, 1, wait_until)
    sweep = _sweep_of(workshop, running.text())
    workshop.besom("cancel", sweep["id"])
    running.end(6)
    assert workshop.state(sweep["id"])["state"] == "canceled"


def test_the_status_of_a_terminal_stays_below_the_output(workshop):
    place = _place(workshop, LOGS)
    shown, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "besom", "run", "sweep.yaml"],
        env={**workshop.environ, "TERM": "xterm", "COLUMNS": "80", "NO_COLOR": "1"}, cwd=place,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=terminal,
    )  # fmt: skip
    os.close(terminal)
    text = b""
    while piece := _read(shown):
        text += piece
    os.close(shown)
    assert process.wait(timeout=60) == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text.decode())
    assert re.search("[━─]{16}  [0-4] of 4 runs", plain)
    assert "run 4 of 4" in plain


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, 65_536)
    except OSError:  # how Linux says that nobody holds the terminal any more
        return b""


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["nothere.yaml"], "Couldn't open sweep file: nothere.yaml"),
        (["train.py"], "train.py is a script"),
        (["sweep.yaml", "--program", "other.py"], "there is no program other.py in"),
        (["sweep.yaml", "--agents", "0"], "invalid value for '--agents'"),
        (["bad.yaml"], "Error in configuration file: 1 problem"),
    ],
)
def test_mistakes_are_found_before_a_server_is_asked(workshop, args, sentence):
    place = _place(workshop, LOGS)
    (place / "bad.yaml").write_text("method: grid\n")
    nowhere = {"BESOM_DIR": str(place / "fresh")}
    assert f"besom: {sentence}" in workshop.besom("run", *args, place=place, code=2, **nowhere).stderr
    assert not (place / "fresh").exists()
