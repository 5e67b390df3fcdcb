"""Attacks by trainings that log or print beyond measure, under a real agent."""

from __future__ import annotations

import json
import time
from typing import Any

from target import Target

_LONG_LINE = """
import sys, besom
with besom.init() as run:
    for _ in range({count}):
        sys.stdout.write("x" * 1048576)
    run.log({{"loss": 1.0}})
"""
_LONG_RUN = """
import besom
with besom.init() as run:
    for step in range({count}):
        run.log({{"loss": 1 / (step + 1)}})
"""
_MANY_NAMES = """
import besom
with besom.init() as run:
    for row in range({count} // 100):
        run.log({{f"name {{row * 100 + at}}": 1.0 for at in range(100)}})
    run.log({{"loss": 1.0}})
"""


def long_line(target: Target, mebibytes: int) -> dict[str, Any]:
    """One line of so many MiB, without an end."""
    figures = {"MiB in one line": mebibytes, **_train(target, "line", _LONG_LINE.format(count=mebibytes))}
    run = figures.pop("run")
    del figures["sweep"]
    printed = target.besom("logs", run).stdout
    figures["`besom logs`, MiB"] = round(len(printed) / 2**20)
    figures["`besom show`, bytes"] = len(target.besom("show", run).stdout)
    return figures


def long_run(target: Target, steps: int) -> dict[str, Any]:
    """One run of so many steps, logged as fast as it goes; then its curve, whole and in part."""
    figures = {"steps": steps, **_train(target, "steps", _LONG_RUN.format(count=steps))}
    figures.pop("run")
    for name, part in (("whole", 1), ("a tenth of it", 10)):
        window = f"from_step=0&to_step={steps // part - 1}"
        begun = time.monotonic()
        curve = target.call("GET", f"/api/v1/sweeps/{figures['sweep']}/curves?metric=loss&px=1000&{window}")
        assert curve["curves"][0]["points"], curve
        figures[f"curve at 1,000 px, {name}, ms"] = round(1000 * (time.monotonic() - begun), 1)
    del figures["sweep"]
    return figures


def many_names(target: Target, count: int) -> dict[str, Any]:
    """One run with so many different metrics, a hundred a row."""
    figures = {"names": count, **_train(target, "names", _MANY_NAMES.format(count=count))}
    begun = time.monotonic()
    target.call("GET", f"/api/v1/runs/find?path=trainings/{figures.pop('run')}")
    figures["the run read, s"] = round(time.monotonic() - begun, 2)
    del figures["sweep"]
    return figures


def _train(target: Target, name: str, script: str) -> dict[str, Any]:
    (target.folder / f"{name}.py").write_text(script)
    file = target.folder / f"{name}.yaml"
    file.write_text(
        f"method: grid\nproject: trainings\nprogram: {name}.py\n"
        "metric: {name: loss}\nparameters: {x: {value: 1}}\n"
    )
    made = target.besom("sweep", "--json", str(file))
    assert made.returncode == 0, made.stderr
    sweep = json.loads(made.stdout)["id"]
    begun = time.monotonic()
    agent = target.besom("agent", "--quiet", sweep, timeout_s=900, folder=target.folder)
    assert agent.returncode == 0, agent.stderr
    [run] = json.loads(target.besom("export", sweep, "--json").stdout)
    assert run["state"] == "finished", run
    return {"run": run["id"], "sweep": sweep, "trained and stored, s": round(time.monotonic() - begun, 1)}
