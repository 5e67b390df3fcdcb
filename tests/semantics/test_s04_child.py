"""Section 4.3: the child process of a run: its environment, parameter files, folder, input, group."""

import json
import os

import pytest
import yaml

SCRIPT = """
import json, os, sys
facts = {
    "argv": sys.argv[1:], "environ": dict(os.environ), "cwd": os.getcwd(), "stdin": sys.stdin.read(),
    "group": os.getpgid(0) == os.getpid(), "session": os.getsid(0), "parent session": os.getsid(os.getppid()),
}
with open(f"facts-{os.environ['WANDB_RUN_ID']}.json", "w") as file:
    json.dump(facts, file)
"""


@pytest.fixture(scope="module")
def seen(workshop):
    """(run, what its child saw) of a sweep with one run, started with variables of the agent's own."""
    place = workshop.place(train=SCRIPT)
    sweep = workshop.sweep({"lr": {"value": 1e-05}, "opt": {"parameters": {"name": {"value": "adam"}}}})
    workshop.besom(
        "agent", sweep, place=place, MY_OWN="mine", WANDB_SERVICE="2-1-tcp-localhost-1", WANDB_API_KEY="cloud-key",
        CUDA_VISIBLE_DEVICES="7",
    )  # fmt: skip
    (run,) = workshop.runs(sweep)
    assert run["state"] == "finished", workshop.console(run)
    facts = json.loads((place / f"facts-{run['id']}.json").read_text())
    return run, facts, place, sweep


def test_s04_3_the_childs_environment_is_the_agents_own_and_the_runs(seen):
    run, facts, place, sweep = seen
    environ = facts["environ"]
    assert environ["MY_OWN"] == "mine"
    assert environ["CUDA_VISIBLE_DEVICES"] == "7"
    assert environ["WANDB_SWEEP_ID"] == sweep
    assert environ["WANDB_RUN_ID"] == run["id"]
    assert environ["WANDB_DIR"] == str(place)
    assert environ["WANDB_ENTITY"] == run["entity"]
    assert environ["WANDB_PROJECT"] == "tests"


def test_s04_3_no_service_and_no_key_of_another_server_reach_the_child(seen, workshop):
    environ = seen[1]["environ"]
    assert "WANDB_SERVICE" not in environ
    assert "cloud-key" not in environ.values()
    assert environ["WANDB_BASE_URL"] == environ["BESOM_URL"] == workshop.server.url
    assert workshop.server.token not in environ.values()


def test_s04_3_the_parameter_file_lies_where_scripts_look_in_wandbs_form(seen):
    run, facts, place, sweep = seen
    file = place / "wandb" / f"sweep-{sweep}" / f"config-{run['id']}.yaml"
    assert facts["environ"]["WANDB_SWEEP_PARAM_PATH"] == str(file)
    assert yaml.safe_load(file.read_text()) == {
        "wandb_version": 1, "lr": {"value": 1e-05}, "opt": {"value": {"name": "adam"}},
    }  # fmt: skip
    assert json.loads(file.with_suffix(".json").read_text()) == {"lr": 1e-05, "opt": {"name": "adam"}}


def test_s04_3_the_folder_is_the_agents_and_stdin_is_at_its_end(seen):
    _, facts, place, _ = seen
    assert facts["cwd"] == os.path.realpath(place)
    assert facts["stdin"] == ""


def test_s04_3_the_child_is_a_process_group_of_its_own(seen):
    assert seen[1]["group"]
    assert seen[1]["session"] != seen[1]["parent session"]


def test_s04_1_the_arguments_are_those_of_the_sweep(seen):
    assert seen[1]["argv"] == ["--lr=1e-05", "--opt={'name': 'adam'}"]


def test_s04_1_an_unset_variable_is_an_error_before_a_run_is_taken(workshop):
    place = workshop.place(train=SCRIPT)
    sweep = workshop.sweep(command=["${env}", "python", "train.py", "--k=${envvar:NOT_SET_ANYWHERE}"])
    done = workshop.besom("agent", sweep, place=place, code=10)
    assert "NOT_SET_ANYWHERE is not set" in done.stderr
    assert workshop.runs(sweep) == []


def test_s04_1_a_variable_is_expanded_for_the_child_and_nowhere_else(workshop):
    place = workshop.place(train=SCRIPT)
    sweep = workshop.sweep({"x": {"value": 1}}, command=["python", "${program}", "--k=${envvar:MY_KEY}", "${args}"])
    done = workshop.besom("agent", sweep, place=place, MY_KEY="hidden-value")
    (run,) = workshop.runs(sweep)
    facts = json.loads((place / f"facts-{run['id']}.json").read_text())
    assert facts["argv"] == ["--k=hidden-value", "--x=1"]
    assert "hidden-value" not in done.stdout + done.stderr
    assert "--k=${envvar:MY_KEY}" in done.stderr
