import json
import os
import sys
from pathlib import Path

import pytest
import yaml

from besom.agents.environment import (
    ON_PATH,
    RunFacts,
    child_environment,
    parameter_folder,
    search_path,
    shown_argv,
    write_parameter_files,
)


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "runs" / "u"
    folder.mkdir(parents=True)
    return RunFacts(
        uid="u", name="k3v9x2ab", attempt=2, params={"lr": 1e-05, "opt": {"name": "adam"}}, token="run-token",
        sweep_id="s1234567", entity="alice", project="vision", agent="agent1", server_url="http://127.0.0.1:1",
        folder=folder,
    )  # fmt: skip


def environment(run, tmp_path, own, **options):
    return child_environment(own, run, write_parameter_files(own, tmp_path, run), **options)


def test_the_child_has_the_agents_environment_and_the_run(run, tmp_path):
    child = environment(run, tmp_path, {"PATH": "/bin", "CUDA_VISIBLE_DEVICES": "3"})
    folder = tmp_path / "wandb" / "sweep-s1234567"
    assert child == {
        "PATH": f"/bin:{Path(sys.executable).parent}",
        "CUDA_VISIBLE_DEVICES": "3",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ON_PATH),
        "BESOM_URL": "http://127.0.0.1:1",
        "BESOM_TOKEN": "run-token",
        "BESOM_RUN_DIR": str(run.folder),
        "BESOM_RUN_UID": "u",
        "BESOM_RUN_ID": "k3v9x2ab",
        "BESOM_ATTEMPT": "2",
        "BESOM_SWEEP_ID": "s1234567",
        "BESOM_ENTITY": "alice",
        "BESOM_PROJECT": "vision",
        "BESOM_AGENT": "agent1",
        "BESOM_OUTER_RANKS": "",
        "WANDB_SWEEP_ID": "s1234567",
        "WANDB_RUN_ID": "k3v9x2ab",
        "WANDB_ENTITY": "alice",
        "WANDB_PROJECT": "vision",
        "WANDB_SWEEP_PARAM_PATH": str(folder / "config-k3v9x2ab.yaml"),
        "WANDB_DIR": str(tmp_path),
        "WANDB_BASE_URL": "http://127.0.0.1:1",
        "WANDB_API_KEY": "run-token",
        "WANDB_ERROR_REPORTING": "false",
    }


def test_no_key_of_another_server_reaches_the_child(run, tmp_path):
    own = {
        "WANDB_API_KEY": "of-the-cloud", "WANDB_SERVICE": "2-1-tcp-localhost-1", "WANDB_IDENTITY_TOKEN_FILE": "/t",
        "WANDB_BASE_URL": "https://elsewhere.example", "BESOM_TOKEN": "admin-token", "BESOM_DB": "postgresql://u:p@h/d",
    }  # fmt: skip
    child = environment(run, tmp_path, own)
    assert not [name for name, value in child.items() if value in own.values()]
    assert "WANDB_SERVICE" not in child


def test_our_wandb_comes_before_what_the_user_has_on_the_path(run, tmp_path):
    child = environment(run, tmp_path, {"PYTHONPATH": "/mine:/yours"})
    assert child["PYTHONPATH"] == f"{ON_PATH}:/mine:/yours"


def test_the_real_wandb_is_left_alone_and_offline(run, tmp_path):
    child = environment(run, tmp_path, {"PYTHONPATH": "/mine", "WANDB_MODE": "online"}, wandb="real")
    assert child["PYTHONPATH"] == "/mine"
    assert child["WANDB_MODE"] == "offline"


def test_ranks_of_the_agent_itself_are_told_apart(run, tmp_path):
    assert environment(run, tmp_path, {"SLURM_PROCID": "3"})["BESOM_OUTER_RANKS"] == "SLURM_PROCID=3"


def test_what_the_user_set_for_output_stays(run, tmp_path):
    assert environment(run, tmp_path, {"PYTHONUNBUFFERED": ""})["PYTHONUNBUFFERED"] == ""


def test_the_parameter_files_lie_where_scripts_look(run, tmp_path):
    files = write_parameter_files({}, tmp_path, run)
    assert files.yaml == tmp_path / "wandb" / "sweep-s1234567" / "config-k3v9x2ab.yaml"
    assert yaml.safe_load(files.yaml.read_text()) == {
        "wandb_version": 1, "lr": {"value": 1e-05}, "opt": {"value": {"name": "adam"}},
    }  # fmt: skip
    assert files.json == files.yaml.with_suffix(".json")
    assert json.loads(files.json.read_text()) == run.params


def test_the_folder_of_parameter_files_is_nothing_to_commit(run, tmp_path):
    write_parameter_files({}, tmp_path, run)
    assert (tmp_path / "wandb" / ".gitignore").read_text() == "*\n"


def test_a_folder_that_was_there_before_is_left_as_it_is(run, tmp_path):
    (tmp_path / "wandb").mkdir()
    write_parameter_files({}, tmp_path, run)
    assert [path.name for path in (tmp_path / "wandb").iterdir()] == ["sweep-s1234567"]


def test_wandb_dir_moves_them_relative_to_the_agents_folder(tmp_path):
    assert parameter_folder({"WANDB_DIR": "out"}, tmp_path, "s") == tmp_path / "out" / "wandb" / "sweep-s"
    assert parameter_folder({"WANDB_DIR": "/out"}, tmp_path, "s") == Path("/out/wandb/sweep-s")


def test_where_nothing_can_be_written_they_go_into_the_run_folder(run, tmp_path):
    (tmp_path / "file").touch()
    files = write_parameter_files({"WANDB_DIR": "file"}, tmp_path, run)
    assert files.wandb_dir == run.folder
    assert files.yaml.is_relative_to(run.folder)


def test_a_python_is_found_where_the_system_has_none():
    assert search_path({"PATH": "/nowhere"}).split(os.pathsep) == ["/nowhere", os.path.dirname(sys.executable)]


def test_variables_stay_unexpanded_in_what_is_shown():
    command = ["${env}", "python", "a.py", "--key=${envvar:SECRET}", "${args}"]
    shown = shown_argv(command, None, {"lr": 1}, Path("c.json"))
    assert shown == ["/usr/bin/env", "python", "a.py", "--key=${envvar:SECRET}", "--lr=1"]
