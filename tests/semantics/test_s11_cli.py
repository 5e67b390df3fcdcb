"""Section 11: the command line as W&B's users and their scripts know it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from workshop import Workshop

SWEEP = "method: grid\nprogram: train.py\nparameters:\n  lr:\n    values: [1, 2]\n"


@pytest.fixture(scope="module")
def machine(workshop) -> Machine:
    found = Machine(workshop, workshop.place(train="print('trained')", other=""))
    (found.folder / "sweep.yaml").write_text(SWEEP)
    (found.folder / "named.yaml").write_text(SWEEP + "project: from-file\nname: file\n")
    return found


class Machine:
    """A folder with sweep files on a machine with a server."""

    def __init__(self, workshop: Workshop, folder: Path) -> None:
        self.workshop = workshop
        self.folder = folder

    def besom(self, *args: str, code: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        """Runs the command in the folder and checks its exit code."""
        return self.workshop.besom(*args, code=code, place=self.folder, **environ)

    def create(self, *args: str, **environ: str) -> dict[str, Any]:
        """Creates a sweep and returns it."""
        found: dict[str, Any] = json.loads(self.besom("sweep", "--json", *args, **environ).stdout)
        return found

    def state(self, sweep: dict[str, Any]) -> str:
        """The sweep's state now."""
        return str(self.workshop.state(sweep["id"])["state"])


def test_s11_1_sweep_prints_the_four_lines_and_nothing_else(machine):
    done = machine.besom("sweep", "sweep.yaml", "-p", "four")
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert lines[0] == "Creating sweep from: sweep.yaml"
    found = re.fullmatch(r"Creating sweep with ID: ([a-z0-9]{8})", lines[1])
    assert found
    assert re.fullmatch(rf"View sweep at: http://\S+/([^/]+)/four/sweeps/{found[1]}", lines[2])
    assert re.fullmatch(rf"Run sweep agent with: besom agent [^/]+/four/{found[1]}", lines[3])


def test_s11_1_project_flag_wins_over_variable_over_file(machine):
    assert machine.create("named.yaml")["project"] == "from-file"
    assert machine.create("named.yaml", WANDB_PROJECT="variable")["project"] == "variable"
    assert machine.create("named.yaml", WANDB_PROJECT="twin", BESOM_PROJECT="ours")["project"] == "ours"
    assert machine.create("named.yaml", "--project", "flag", WANDB_PROJECT="variable")["project"] == "flag"


def test_s11_1_without_a_project_the_folder_names_it(machine):
    assert machine.create("sweep.yaml")["project"] == machine.folder.name


def test_s11_1_in_a_git_repository_the_repository_names_the_project(machine):
    (machine.folder / "repository" / ".git").mkdir(parents=True)
    inside = machine.folder / "repository" / "nets"
    inside.mkdir()
    (inside / "sweep.yaml").write_text(SWEEP)
    assert Machine(machine.workshop, inside).create("sweep.yaml")["project"] == "repository"


def test_s11_1_entity_flag_wins_over_variable_over_the_servers_own(machine):
    own = machine.create("sweep.yaml")["entity"]
    assert own not in ("variable", "flag")
    assert machine.create("sweep.yaml", WANDB_ENTITY="variable")["entity"] == "variable"
    assert machine.create("sweep.yaml", "-e", "flag", WANDB_ENTITY="variable")["entity"] == "flag"


def test_s11_1_name_and_program_override_the_file(machine):
    sweep = machine.create("named.yaml", "--name", "given ☃", "--program", "other.py")
    assert (sweep["name"], sweep["program"]) == ("given ☃", "other.py")
    assert machine.create("named.yaml")["name"] == "file"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "Couldn't open sweep file: bad.yaml"),
        ("", "Configuration file is empty: bad.yaml"),
        ("method: [grid\n", "Error in configuration file: "),
        ("method: grid\n", "Error in configuration file: "),
    ],
)
def test_s11_1_bad_files_are_answered_with_a_sentence(machine, text, sentence):
    file = machine.folder / "bad.yaml"
    file.unlink(missing_ok=True)
    if text is not None:
        file.write_text(text)
    done = machine.besom("sweep", "bad.yaml", code=2)
    assert done.stderr.startswith(f"besom: {sentence}")
    assert done.stdout == ""


def test_s11_1_all_problems_of_a_file_come_with_their_places(machine):
    (machine.folder / "bad.yaml").write_text("method: gird\nparameters:\n  lr: {valus: [1]}\n")
    said = machine.besom("sweep", "bad.yaml", code=2).stderr
    assert re.search(r"^bad\.yaml:1:\d+: method: .*`grid`", said, re.MULTILINE)
    assert re.search(r"^bad\.yaml:3:\d+: parameters\.lr\.valus: .*`values`", said, re.MULTILINE)


def test_s11_1_option_forms_move_a_sweep(machine):
    sweep = machine.create("sweep.yaml", "-p", "moves")
    path = f"moves/{sweep['id']}"
    machine.besom("resume", path)
    machine.besom("sweep", "--pause", path)
    assert machine.state(sweep) == "paused"
    machine.besom("sweep", "--resume", path)
    assert machine.state(sweep) in ("running", "pending")
    machine.besom("sweep", "--stop", path)
    assert machine.state(sweep) == "finished"
    canceled = machine.create("sweep.yaml")
    machine.besom("sweep", canceled["id"], "--cancel")
    assert machine.state(canceled) == "canceled"


def test_s11_1_only_one_move_at_a_time(machine):
    sweep = machine.create("sweep.yaml")
    said = machine.besom("sweep", "--stop", "--cancel", sweep["id"], code=2).stderr
    assert said == "besom: only one of --pause --resume --stop --cancel at a time, not stop and cancel\n"
    assert machine.state(sweep) == "pending"


def test_s11_1_update_says_what_to_use(machine):
    assert "besom edit k3v9x2ab" in machine.besom("sweep", "--update", "k3v9x2ab", "sweep.yaml", code=2).stderr


@pytest.mark.parametrize("form", ["{id}", "{project}/{id}", "{entity}/{project}/{id}"])
def test_s11_1_a_sweep_is_named_in_three_forms(machine, form):
    sweep = machine.create("sweep.yaml")
    assert json.loads(machine.besom("show", form.format(**sweep), "--json").stdout)["id"] == sweep["id"]


def test_s11_1_any_other_form_is_answered_with_the_forms(machine):
    said = machine.besom("sweep", "--stop", "a/b/c/d", code=2).stderr
    assert "ID, PROJECT/ID or ENTITY/PROJECT/ID" in said


def test_s11_1_moves_that_the_state_does_not_allow_are_refused_by_its_name(machine):
    sweep = machine.create("sweep.yaml")
    machine.besom("cancel", sweep["id"])
    for verb in ("pause", "stop", "cancel"):
        said = machine.besom(verb, sweep["id"], code=1).stderr
        assert "cancel" in said
        assert said.count("\n") == 1


@pytest.mark.parametrize(
    "option",
    ["-p", "--project", "-e", "--entity", "--count", "-f", "--forward-signals", "-t", "--term-timeout",
     "--max-consecutive-failed-runs"],
)  # fmt: skip
def test_s11_2_an_agent_knows_the_options_of_wandbs(machine, option):
    assert option in re.split(r"[\s,]+", machine.besom("agent", "--help").stdout)


@pytest.mark.parametrize("option", ["-p", "--project", "-e", "--entity", "--name", "--program", "-R", "--prior_run"])
def test_s11_1_a_sweep_knows_the_options_of_wandbs(machine, option):
    assert option in re.split(r"[\s,]+", machine.besom("sweep", "--help").stdout)
