"""Scripts that say `import wandb`, trained by an agent as they are: the tutorial's, and whatever starts them."""

import subprocess
import sys

import pytest

TUTORIAL = """
    import json
    import wandb

    defaults = {"learning_rate": 0.1, "batch_size": 8, "epochs": 2, "opt": {"name": "sgd", "momentum": 0.5}}
    wandb.init(project="tutorial", config=defaults)
    cfg = {"learning_rate": 0.1, "batch_size": 8, "epochs": 2, "opt": {"name": "sgd", "momentum": 0.5}}
    wandb.config.update(cfg)
    for epoch in range(cfg["epochs"]):
        wandb.log({"loss": cfg["learning_rate"] * cfg["batch_size"] + cfg["opt"]["momentum"]})
    print("trained", json.dumps([cfg["learning_rate"], cfg["batch_size"], cfg["opt"], defaults["batch_size"]]))
"""
SIX = {
    "learning_rate": {"values": [0.001, 0.01]},
    "batch_size": {"values": [32, 64, 128]},
    "opt": {"parameters": {"momentum": {"value": 0.0}}},
}
ONE = {"lr": {"value": 0.25}}
LOGS = """
    import sys
    import wandb

    run = wandb.init()
    run.log({"loss": wandb.config.lr})
    print("python", "%d.%d" % sys.version_info[:2], wandb.__version__)
"""


def test_the_tutorials_script_trains_six_different_networks(workshop):
    sweep, place = workshop.sweep(SIX), workshop.place(train=TUTORIAL)
    done = workshop.besom("agent", sweep, place=place)
    runs = workshop.runs(sweep)
    for run in runs:
        losses = [row["loss"] for row in workshop.history(run)]
        assert losses == [run["params"]["learning_rate"] * run["params"]["batch_size"]] * 2
    assert len({run["summary"]["loss"] for run in runs}) == 6
    assert done.stdout.count("were written into the dictionary given to config.update()") == 6
    assert "never read" not in done.stdout + done.stderr


def test_write_back_turned_off_is_what_wandb_does_and_the_runs_are_warned(workshop):
    sweep, place = workshop.sweep(SIX), workshop.place(train=TUTORIAL)
    done = workshop.besom("agent", sweep, place=place, BESOM_WRITE_BACK="0")
    assert {run["summary"]["loss"] for run in workshop.runs(sweep)} == {0.1 * 8 + 0.5}
    assert "written into" not in done.stdout
    told = "`batch_size` and `learning_rate` were set by the sweep but never read by the script"
    assert told in done.stdout
    assert told in done.stderr


def test_a_script_that_makes_its_sweep_and_is_its_own_agent(workshop):
    place = workshop.place(
        train="""
            import wandb

            def main():
                with wandb.init() as run:
                    run.log({"score": run.config.x**3 + run.config.y})

            if __name__ == "__main__":
                wandb.login()
                config = {"method": "random", "metric": {"goal": "minimize", "name": "score"},
                          "parameters": {"x": {"min": 0.01, "max": 0.1}, "y": {"values": [1, 3, 7]}}}
                sweep_id = wandb.sweep(sweep=config, project="my-first-sweep")
                wandb.agent(sweep_id, function=main, count=4)
                assert wandb.run is None
                print("best", wandb.Api().sweep(f"my-first-sweep/{sweep_id}").best_run().summary["score"])
        """
    )
    from besom.agents.environment import ON_PATH

    done = workshop.command("train.py", place=place, PYTHONPATH=str(ON_PATH))
    assert done.returncode == 0, done.stderr
    assert "Create sweep with ID: " in done.stdout
    assert "\nbest " in done.stdout


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory):
    """The interpreter of a virtual environment with nothing in it."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=60)
    return str(folder / "bin" / "python")


def test_another_virtual_environment_needs_nothing_installed(workshop, bare_python):
    sweep = workshop.sweep(ONE, command=[bare_python, "${program}"])
    done = workshop.besom("agent", sweep, place=workshop.place(train=LOGS))
    assert "+besom" in done.stdout
    (run,) = workshop.runs(sweep)
    assert (run["state"], run["summary"]["loss"]) == ("finished", 0.25)


def test_a_shell_script_may_start_the_training(workshop):
    place = workshop.place(train=LOGS)
    (place / "start.sh").write_text('set -e\necho "wrapped $1"\npython train.py "$@"\n')
    sweep = workshop.sweep(ONE, command=["bash", "start.sh", "${args}"])
    assert "wrapped --lr=0.25" in workshop.besom("agent", sweep, place=place).stdout
    (run,) = workshop.runs(sweep)
    assert (run["state"], run["summary"]["loss"]) == ("finished", 0.25)


def test_an_isolated_python_that_cannot_see_the_module_fails_with_the_reason(workshop):
    sweep = workshop.sweep(ONE, command=["python", "-I", "-S", "${program}"])
    done = workshop.besom("agent", sweep, place=workshop.place(train=LOGS))
    (run,) = workshop.runs(sweep)
    assert run["state"] == "failed"
    assert run["error"].endswith("ModuleNotFoundError: No module named 'wandb'")
    assert "ModuleNotFoundError" in done.stdout + done.stderr


@pytest.mark.torch
def test_torchrun_is_one_run_whose_processes_share_the_config_and_the_first_one_writes(workshop):
    pytest.importorskip("torch")
    place = workshop.place(
        train="""
            import torch
            import torch.distributed as dist
            import wandb

            dist.init_process_group("gloo")
            run = wandb.init(config={"lr": 9})
            total = torch.tensor([wandb.config.lr])
            dist.all_reduce(total)
            for step in range(3):
                wandb.log({"loss": wandb.config.lr / (step + 1), "total": total.item(), "rank": dist.get_rank()})
            dist.destroy_process_group()
        """
    )
    command = ["torchrun", "--standalone", "--nproc-per-node", "2", "${program}"]
    sweep = workshop.sweep(ONE, command=command)
    done = workshop.besom("agent", sweep, place=place)
    (run,) = workshop.runs(sweep)
    assert run["state"] == "finished", workshop.console(run)
    assert [(row["loss"], row["total"], row["rank"]) for row in workshop.history(run)] == [
        (0.25, 0.5, 0), (0.125, 0.5, 0), (0.25 / 3, 0.5, 0),
    ]  # fmt: skip
    assert done.stdout.count("were written into the dictionary given to init") <= 1
