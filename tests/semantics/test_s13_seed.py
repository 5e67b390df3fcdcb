"""Section 13: the tutorial's script, which takes its values from the dictionary it gave to W&B."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import besom
from besom.client.run_folder import RunFolder
from besom.common.spool_reader import Note, Reader, Row

ON_PATH = Path(besom.__file__).parent / "client" / "on_path"
SCRIPT = """
import wandb

cfg = {"epochs": 5, "learning_rate": 0.5, "batch_size": 8}

def train(learning_rate, batch_size, epochs):
    for epoch in range(epochs):
        wandb.log({"train_loss": learning_rate * batch_size / (epoch + 1)}, step=epoch)

def main():
    wandb.init(project="fashion")
    wandb.config.update(cfg)
    train(cfg["learning_rate"], cfg["batch_size"], cfg["epochs"])

if __name__ == "__main__":
    main()
"""
GRID = [{"learning_rate": lr, "batch_size": n, "epochs": 5} for n in (32, 64, 128) for lr in (0.001, 0.01)]


def train(folder, script, params, **environ):
    run_folder = RunFolder(folder / "runs" / "uid1")
    run_folder.write_config({"uid": "uid1", "name": "run1", "attempt": 1, "params": params, "sweep_id": "sweep123"})
    (folder / "train.py").write_text(script)
    own = {name: value for name, value in os.environ.items() if not name.startswith(("BESOM_", "WANDB_"))}
    own |= {"PYTHONPATH": str(ON_PATH), "BESOM_RUN_DIR": str(run_folder.path), "BESOM_RUN_UID": "uid1",
            "WANDB_RUN_ID": "run1", "BESOM_ATTEMPT": "1", "BESOM_SWEEP_ID": "sweep123"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "train.py"], env={**own, **environ}, cwd=folder, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    records = list(Reader().feed(run_folder.stream_file(1, "w1", "history").read_bytes()))
    (reads,) = [record.body["read"] for record in records if isinstance(record, Note) and record.t == "reads"]
    return [record.data["train_loss"] for record in records if isinstance(record, Row)], reads, done.stderr


def test_s13_the_tutorials_script_trains_six_different_networks(tmp_path):
    losses = []
    for number, params in enumerate(GRID):
        folder = tmp_path / str(number)
        folder.mkdir()
        rows, reads, _ = train(folder, SCRIPT, params)
        assert rows[0] == params["learning_rate"] * params["batch_size"]
        assert set(reads) == set(params)
        losses.append(rows[0])
    assert len(set(losses)) == 6


def test_s13_without_the_write_back_the_run_says_what_was_never_read(tmp_path):
    rows, reads, said = train(tmp_path, SCRIPT, GRID[0], BESOM_WRITE_BACK="0")
    assert rows[0] == 0.5 * 8
    assert reads == []
    assert "`learning_rate`, `batch_size` and `epochs` were set by the sweep but never read by the script" in said


@pytest.mark.parametrize("fixed", ["wandb.init(project='fashion', config=cfg)\n    cfg.update(wandb.config)"])
def test_s13_the_script_that_reads_its_config_is_not_warned(tmp_path, fixed):
    script = SCRIPT.replace('wandb.init(project="fashion")\n    wandb.config.update(cfg)', fixed)
    rows, _, said = train(tmp_path, script, GRID[3], BESOM_WRITE_BACK="0")
    assert rows[0] == GRID[3]["learning_rate"] * GRID[3]["batch_size"]
    assert "never read" not in said


def test_s13_swept_names_that_were_never_read_are_told(sqlite_hand):
    sweep = sqlite_hand.sweep()
    agent = sqlite_hand.agent(sweep)
    told, silent = sqlite_hand.take(agent), sqlite_hand.take(agent)
    for run in (told, silent):
        sqlite_hand.log(run.uid, 1, [(0, {"loss": 1.0})])
    sqlite_hand.note(told.uid, 1, {"t": "reads", "read": ["size"]})
    (warning,) = sqlite_hand.finish(told.uid).warnings
    assert warning.startswith("`lr` was set by the sweep but never read by the script")
    assert sqlite_hand.finish(silent.uid).warnings == []
