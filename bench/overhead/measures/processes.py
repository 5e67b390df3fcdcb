"""What a run costs that is a process: started by an agent, its number logged, its end recorded."""

from __future__ import annotations

from functools import partial
from typing import Any

from common.figures import Medians, Sample
from common.watching import watched
from table import Line
from workbench import PROGRAMS, Workbench

TITLE = "200 trivial process runs by one agent"
NUMBER = {"min": 0.0, "max": 1.0}


def take(bench: Workbench) -> dict[str, Any]:
    runs, runs_wandb = bench.size(200, 5), bench.size(10, 2)

    def besom() -> Sample:
        with bench.server() as server:
            (server.folder / "train.py").write_text(PROGRAMS.joinpath("train_besom.py").read_text())
            sweep = server.sweep({"x": NUMBER})
            command = [bench.python("besom"), "-m", "besom", "agent", sweep, "--count", str(runs), "--quiet"]
            found = watched(command, server.environ, server.folder, timeout_s=300)
            done = server.finished(sweep)
        if done < runs:
            raise RuntimeError(f"{done} of {runs} runs finished:\n{found.said[-2000:]}")
        return {"ms_a_run": found.wall_s * 1000 / runs, "cpu_ms_a_run": found.cpu_s * 1000 / runs}

    def each(library: str, script: str, times: int) -> Sample:
        found = bench.program(library, "spawn.py", times, PROGRAMS / script)
        return {**found.answer, "cpu_ms_a_run": found.cpu_s * 1000 / times}

    return bench.turns({
        "besom": besom,
        "spawn": partial(each, "spawn", "train_nothing.py", runs),
        "wandb": partial(each, "wandb", "train_wandb.py", runs_wandb),
    })  # fmt: skip


def lines(samples: dict[str, list[Sample]]) -> list[Line]:
    of = Medians(samples)
    ours, floor = of("besom", "ms_a_run"), of("spawn", "ms_a_run")
    assert ours is not None
    assert floor is not None
    cpu = of("besom", "cpu_ms_a_run")
    return [
        Line("process run", ours, "ms", "spawn floor", floor),
        Line("process run, over the spawn floor", ours - floor, "ms", at_most=25.0),
        Line("process run", ours, "ms", "wandb offline", of("wandb", "ms_a_run"), at_most=1 / 25),
        Line("process run, CPU of agent and run", cpu, "ms", "spawn floor", of("spawn", "cpu_ms_a_run")),
        Line("process run, CPU of agent and run", cpu, "ms", "wandb offline", of("wandb", "cpu_ms_a_run")),
    ]
