"""Runs a command and says what it and everything below it cost: wall, CPU, memory.

A process of its own (`watch.py`) starts the command and waits for it and for all that it leaves behind, so that a
helper which outlives its parent is counted too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_WATCH = Path(__file__).with_name("watch.py")
ANSWER = "BENCH_ANSWER"


@dataclass(frozen=True)
class Watched:
    """What a command did. ``wall_s`` to its own end, ``cpu_s`` and ``peak_mib`` with all processes below it."""

    answer: dict[str, Any]
    wall_s: float
    cpu_s: float
    peak_mib: float
    said: str


def watched(
    argv: Sequence[str | os.PathLike[str]],
    environ: Mapping[str, str],
    folder: Path,
    *,
    timeout_s: float = 300.0,
    memory: bool = False,
) -> Watched:
    """Runs the command in ``folder``; its answer is the JSON that it wrote into the file named by ``BENCH_ANSWER``.

    ``memory``: also sum the largest resident sizes of all processes. Raises RuntimeError when the command fails.
    """
    with tempfile.TemporaryDirectory() as place:
        answer, report = Path(place, "answer.json"), Path(place, "report.json")
        command = [sys.executable, str(_WATCH), str(report), str(int(memory)), str(timeout_s), *map(os.fspath, argv)]
        process = subprocess.Popen(
            command, env={**environ, ANSWER: str(answer)}, cwd=folder, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
        )  # fmt: skip
        try:
            said, _ = process.communicate(timeout=timeout_s + 60)
        except BaseException:
            # It ends what it watches; killing it would leave that behind.
            process.terminate()
            process.wait()
            raise
        if process.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, argv))} ended with {process.returncode}:\n{said[-3000:]}")
        found = json.loads(report.read_text(encoding="utf-8"))
        told = json.loads(answer.read_text(encoding="utf-8")) if answer.exists() else {}
    return Watched(told, found["wall_s"], found["cpu_s"], found["peak_mib"], said)
