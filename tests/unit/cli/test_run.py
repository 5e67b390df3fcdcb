from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from besom.cli.run import check_interpreter, check_program, exit_code, next_steps
from besom.errors import UsageError


@pytest.mark.parametrize(
    ("codes", "interrupted", "code"),
    [
        ([0], False, 0),
        ([0, 3], False, 0),       # one agent gave up, another brought the sweep to its end
        ([12, 0], False, 0),
        ([12], False, 0),         # the others were quicker
        ([3, 12], False, 3),
        ([-9], False, 137),
        ([130, 130], True, 130),
        ([0], True, 130),
    ],
)  # fmt: skip
def test_the_exit_code_says_how_the_agents_ended(codes, interrupted, code):
    assert exit_code(codes, interrupted, {"finished": 1, "failed": 5}) == code


def test_a_sweep_whose_runs_all_failed_is_no_success():
    assert exit_code([0, 0], False, {"finished": 0, "failed": 3, "crashed": 1}) == 1
    assert exit_code([0], False, {"finished": 0, "failed": 0}) == 0


def _config(program: str | None, command: tuple[str, ...] | None = None) -> SimpleNamespace:
    return SimpleNamespace(program=program, command=command)


def test_a_program_beside_the_sweep_file_says_where_to_go(tmp_path):
    (tmp_path / "example").mkdir()
    (tmp_path / "example" / "train.py").touch()
    with pytest.raises(UsageError, match=r"cd .*example && besom run sweep.yaml"):
        check_program(_config("train.py"), tmp_path / "example" / "sweep.yaml", tmp_path)


def test_a_program_that_is_nowhere_is_a_sentence(tmp_path):
    with pytest.raises(UsageError, match=r"there is no program train.py in"):
        check_program(_config("train.py"), Path("sweep.yaml"), tmp_path)


def test_a_command_without_the_program_needs_none(tmp_path):
    check_program(_config("train.py", ("bash", "-c", "true")), Path("sweep.yaml"), tmp_path)
    check_program(_config(None), Path("sweep.yaml"), tmp_path)


def test_a_machine_without_python_is_told_how_to_get_one(tmp_path):
    with pytest.raises(UsageError, match="there is none on PATH: activate the virtual environment"):
        check_interpreter(_config("train.py"), str(tmp_path))
    check_interpreter(_config("train.py", ("bash", "${program}")), str(tmp_path))


def test_another_python_than_besoms_is_told(tmp_path, capsys):
    (tmp_path / "python").write_text("#!/bin/sh\necho /opt/other\n")
    (tmp_path / "python").chmod(0o755)
    check_interpreter(_config("train.py"), str(tmp_path))
    assert f"note: runs use {tmp_path / 'python'}" in capsys.readouterr().err


def test_a_shim_that_leads_to_besoms_python_is_not_told(tmp_path, capsys):
    (tmp_path / "python").write_text(f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n")
    (tmp_path / "python").chmod(0o755)
    check_interpreter(_config("train.py"), str(tmp_path))
    assert capsys.readouterr().err == ""


def _steps(state: str, **runs: int) -> dict[str, str]:
    sweep = {"id": "k3v9x2ab", "entity": "me", "project": "p", "state": state, "runs": runs, "url": "http://x/y"}
    return dict(next_steps(sweep, "sweep.yaml"))


def test_a_sweep_that_is_open_can_go_on_and_be_ended():
    steps = _steps("running", finished=1)
    assert steps["Continue"] == "besom agent me/p/k3v9x2ab"
    assert steps["Stop"] == "besom stop k3v9x2ab ends the sweep"


def test_a_finished_sweep_offers_a_new_one():
    steps = _steps("finished", finished=6)
    assert "besom run sweep.yaml" in steps["Continue"]
    assert "besom stop" not in steps["Stop"]
    assert "Repeat" not in steps


def test_lost_runs_can_be_repeated():
    assert _steps("finished", finished=5, failed=1)["Repeat"].startswith("besom rerun k3v9x2ab")


def test_killed_runs_can_be_repeated_one_by_one():
    assert "besom rerun RUN" in _steps("running", killed=2)["Repeat"]
    assert "Repeat" not in _steps("canceled", killed=2)
