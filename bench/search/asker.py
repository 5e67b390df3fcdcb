"""An engine in a process and an environment of its own, asked in JSON lines (`programs/conversation.py`)."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

PROGRAMS = Path(__file__).with_name("programs")
ANSWER_S = 600.0
# One thread, whichever library computes; none of them asks a network.
_ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "PYTHONHASHSEED": "0",
}


class EngineFailed(RuntimeError):
    """The engine's process ended, did not answer in time, or said that it cannot."""


class Asker:
    """A context manager; inside, `ask` and `tell`. Every answer has ``cpu_s``, the CPU seconds that it took."""

    def __init__(self, python: Path, program: str) -> None:
        self._place = tempfile.TemporaryDirectory()
        self._errors = Path(self._place.name, "errors")
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [python, "-W", "ignore", PROGRAMS / program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=self._place.name,
                env={**os.environ, **_ONE_THREAD},
            )

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()
        self._place.cleanup()

    def start(self, config: Mapping[str, Any], seed: int, method: str, runs: int) -> dict[str, Any]:
        """The engine's version, and the CPU seconds up to here, imports included."""
        return self._answer({"config": config, "seed": seed, "method": method, "runs": runs})

    def ask(self, number: int) -> dict[str, Any]:
        """``params`` for a run, None when nothing is left."""
        return self._answer({"ask": number})

    def tell(self, number: int, params: Mapping[str, Any], value: float | None) -> dict[str, Any]:
        """What the run has shown; None: it crashed."""
        return self._answer({"tell": number, "params": params, "value": value})

    def peak_mib(self) -> float:
        """The most memory that the process has held."""
        return float(self._answer({"peak": True})["peak_mib"])

    def _answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        late = threading.Timer(ANSWER_S, self._process.kill)
        late.start()
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            late.cancel()
        if not line.endswith("\n"):
            self._process.wait(timeout=60)
            raise EngineFailed(self._last_words())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _last_words(self) -> str:
        text = self._errors.read_text(errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return " / ".join(lines[-3:]) or f"exit code {self._process.returncode}"
