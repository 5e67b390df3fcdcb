"""Virtual environments of the contenders: each has what its users would have, at one version, and nothing else."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Environment → what is installed there. Pinned: a figure belongs to a version.
PEERS = {
    "wandb": ["wandb==0.31.0"],
    "trackio": ["trackio==0.43.0"],
    "optuna": ["optuna==5.0.0", "sqlalchemy==2.1.9", "psycopg[binary]==3.3.9"],
}
NUMPY = "numpy==2.4.6"


class Environments:
    """Environments in one folder, made when first asked for and kept for later runs."""

    def __init__(self, folder: Path, besom: Path = ROOT) -> None:
        """``besom``: the source tree that is measured, or a Python that has Besom already."""
        self._folder = folder
        self._source = besom
        # Made once a start: the tree may change while a measurement runs.
        self._made: dict[str, Path] = {"besom": besom} if besom.is_file() else {}
        folder.mkdir(parents=True, exist_ok=True)

    def besom(self) -> Path:
        """A Python in which the source tree is installed as a user would, with PostgreSQL's driver."""
        if "besom" not in self._made:
            self._made["besom"] = self._with("besom", [f"{self._source}[postgres]"], _fingerprint(self._source))
        return self._made["besom"]

    def peer(self, name: str) -> Path:
        """A Python in which one of `PEERS` is installed."""
        return self.holding(name, PEERS[name])

    def holding(self, name: str, packages: Sequence[str]) -> Path:
        """A Python in which these packages are installed, and nothing but what they need."""
        if name not in self._made:
            self._made[name] = self._with(name, packages)
        return self._made[name]

    def numpy(self) -> Path:
        """A folder for ``PYTHONPATH`` with NumPy in it, for what needs a tensor; its import weighs on nobody else."""
        place = self._folder / "numpy"
        if _stamped(place) != [NUMPY]:
            shutil.rmtree(place, ignore_errors=True)
            _pip(Path(sys.executable), ["--target", str(place), NUMPY])
            _stamp(place, [NUMPY])
        return place

    def _with(self, name: str, packages: Sequence[str], mark: str = "") -> Path:
        place = self._folder / name
        python = place / "bin" / "python"
        wanted = [*packages, mark]
        pins = self._source / "constraints.txt"
        if _stamped(place) == wanted:
            return python
        if (_stamped(place) or [""])[:-1] != list(packages):
            shutil.rmtree(place, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, stdout=subprocess.DEVNULL)
            _pip(python, [*packages, *(("--constraint", str(pins)) if mark and pins.exists() else ())])
        else:
            # The same packages, another state of the tree: what it depends on is there already.
            _pip(python, ["--force-reinstall", "--no-deps", *packages])
        subprocess.run([str(python), "-m", "compileall", "-q", str(place / "lib")], check=False, timeout=600)
        _stamp(place, wanted)
        return python


def _pip(python: Path, arguments: Sequence[str]) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"pip install {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")


def _fingerprint(folder: Path) -> str:
    found = hashlib.sha256()
    for file in sorted(folder.joinpath("src").rglob("*.py")):
        found.update(str(file.relative_to(folder)).encode() + file.read_bytes())
    return found.hexdigest()


def _stamped(place: Path) -> list[str] | None:
    try:
        found: list[str] = json.loads((place / "installed.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _stamp(place: Path, words: Sequence[str]) -> None:
    (place / "installed.json").write_text(json.dumps(list(words)), encoding="utf-8")
