"""`make demo` after its install, and the two examples."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "fashion-mnist"


class Machine:
    """A user's machine: own folders, own server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("BESOM_", "WANDB_"))}
        self.environ = {**kept, "BESOM_DIR": str(folder / "besom")}

    def run(self, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Runs a command of this Python and checks that it went well."""
        done = subprocess.run(
            [sys.executable, *command],
            env={**self.environ, **environ}, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True,
            encoding="utf-8", timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    def sweeps(self) -> list[dict]:
        """The sweeps that there are."""
        found: list[dict] = json.loads(self.run("-m", "besom", "ls", "--json").stdout)
        return found


@pytest.fixture
def machine(tmp_path) -> Iterator[Machine]:
    found = Machine(tmp_path)
    yield found
    found.run("-m", "besom", "server", "stop")


def _images() -> bool:
    listed = subprocess.run(["dpkg", "-L", "dataset-fashion-mnist"], capture_output=True, check=False)
    return bool(os.environ.get("FASHION_MNIST_DIR")) or b"ubyte" in listed.stdout


def test_the_sweep_file_is_the_tutorials():
    config = yaml.safe_load((EXAMPLE / "sweep.yaml").read_text())
    assert config["method"] == "grid"
    assert config["metric"] == {"name": "test_loss", "goal": "minimize"}
    assert config["parameters"] == {
        "learning_rate": {"values": [0.001, 0.01]},
        "batch_size": {"values": [32, 64, 128]},
        "epochs": {"value": 5},
    }


def test_the_two_versions_of_the_script_differ_in_the_modules_name_alone():
    ours = (EXAMPLE / "train.py").read_text().replace("import besom", "import wandb")
    ours = re.sub(r"\bbesom\.(init|log)\b", r"wandb.\1", ours)
    theirs = (EXAMPLE / "train_wandb.py").read_text()
    code = [sorted(line for line in text.splitlines()[7:] if line) for text in (ours, theirs)]
    assert code[0] == code[1]
    sweeps = [(EXAMPLE / name).read_text() for name in ("sweep.yaml", "sweep_wandb.yaml")]
    assert sweeps[0].replace("train.py", "train_wandb.py") == sweeps[1]


def test_without_images_and_network_the_demo_says_so_and_runs_the_digits(machine):
    nowhere = "http://127.0.0.1:9"
    done = machine.run(
        str(ROOT / "scripts" / "demo.py"),
        PATH=str(Path(sys.executable).parent), FASHION_MNIST_DIR="", http_proxy=nowhere, https_proxy=nowhere,
    )  # fmt: skip
    assert "scikit-learn's small digits instead" in done.stdout
    assert len(re.findall(r" finished ", done.stdout)) == 6
    (sweep,) = machine.sweeps()
    assert (sweep["project"], sweep["state"], sweep["runs"]["finished"]) == ("digits", "finished", 6)


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs PyTorch (make demo installs it)")
@pytest.mark.skipif(not _images(), reason="needs the images (FASHION_MNIST_DIR or Debian's dataset-fashion-mnist)")
def test_the_fast_demo_ends_with_six_runs_and_the_best_params(machine):
    done = machine.run(str(ROOT / "scripts" / "demo.py"), FAST="1")
    assert "epoch 5/5" in done.stderr
    assert re.search(r"besom: [1-6] of 6 runs.*left", done.stderr)
    scores = [float(line.split()[2]) for line in done.stdout.splitlines() if " finished " in line]
    assert len(scores) == 6
    assert scores == sorted(scores)
    assert "  batch_size: 32\n" in done.stdout
    assert "As flags: --batch_size=32 --epochs=5 --learning_rate=0.01" in done.stdout
    for step in ("besom open ", "besom server stop", "besom run sweep.yaml"):
        assert step in done.stdout
    (first,) = machine.sweeps()
    best = json.loads(machine.run("-m", "besom", "show", first["id"], "--json").stdout)["best"]
    assert set(best["summary"]) >= {"train_loss", "test_loss", "test_acc"}
    assert best["params"] == {"batch_size": 32, "epochs": 5, "learning_rate": 0.01}
