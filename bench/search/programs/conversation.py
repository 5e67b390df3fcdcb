"""One engine at the other end of two pipes: a JSON line asks, a JSON line answers.

{"config": {…sweep…}, "seed": 3, "method": "tpe", "runs": 100}   → {"ready": true, "version": …, "cpu_s": …}
{"ask": 17}                                      → {"params": {…}, "cpu_s": …}; null when nothing is left
{"tell": 17, "params": {…}, "value": 0.31}       → {"cpu_s": …}; a value of null: the run has failed
{"peak": true}                                   → {"peak_mib": …}
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

Params = Mapping[str, Any]


class Asked(Protocol):
    """An engine. Runs are numbered by who asks; a run that was not asked for may be told too."""

    version: str

    def ask(self, number: int) -> Params | None: ...

    def tell(self, number: int, params: Params, value: float | None) -> None: ...


def serve(make: Callable[[dict[str, Any], int, str], Asked]) -> None:
    """Answers lines until there are none. What libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    first = json.loads(sys.stdin.readline())
    engine = make(first["config"], first["seed"], first["method"])
    print(json.dumps({"ready": True, "version": engine.version, "cpu_s": time.process_time()}), file=answers)
    for line in sys.stdin:
        print(json.dumps(_answer(engine, json.loads(line)), default=_plain), file=answers)


def _answer(engine: Asked, question: dict[str, Any]) -> dict[str, Any]:
    begun = time.process_time()
    if "ask" in question:
        params = engine.ask(question["ask"])
        return {"params": params, "cpu_s": time.process_time() - begun}
    if "tell" in question:
        engine.tell(question["tell"], question["params"], question["value"])
        return {"cpu_s": time.process_time() - begun}
    return {"peak_mib": _peak_mib()}


def _peak_mib() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def _plain(value: Any) -> Any:
    """A NumPy number as a Python one."""
    return value.item()


class Law:
    """A parameter of a sweep file, for engines that have no such kinds of their own."""

    def __init__(self, written: Mapping[str, Any]) -> None:
        self.values: list[Any] | None = written.get("values")
        self.kind: str = written.get("distribution", "")
        self.low, self.high, self.q = written.get("min"), written.get("max"), written.get("q")
        self.is_log = "log" in self.kind
        self.is_whole = self.kind == "int_uniform" or self.q == 1


def laws(config: Mapping[str, Any]) -> dict[str, Law]:
    return {name: Law(written) for name, written in config["parameters"].items()}


def is_maximized(config: Mapping[str, Any]) -> bool:
    return bool(config["metric"]["goal"] == "maximize")
