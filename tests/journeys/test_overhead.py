"""The benchmark that anyone can start: it names its measures, takes one, and goes on where it ended."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def overhead(*args: str) -> str:
    command = [sys.executable, str(ROOT / "bench" / "overhead"), *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_measure_is_explained(tmp_path: Path) -> None:
    named = [line.split()[0] for line in overhead("--list").splitlines()]
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert named == re.findall(r"^\| `(\w+)` \|", page.partition("## The measures")[2], re.MULTILINE)


def test_a_measure_is_taken_once_and_shown_again(tmp_path: Path) -> None:
    once = ("--out", str(tmp_path), "--quick", "--only", "training", "--besom", sys.executable)
    first = overhead(*once, "--without", "wandb,trackio")
    kept = json.loads((tmp_path / "results-quick" / "training.json").read_text(encoding="utf-8"))
    assert kept["samples"]["besom"][0]["wall_s"] > 0
    assert kept["before"]["cores"] >= 1
    assert "| whole process, 10,000 calls |" in first
    # The peers are not left out now: whoever measured again would have to install them.
    assert overhead(*once) == first
