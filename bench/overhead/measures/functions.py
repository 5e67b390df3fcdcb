"""What a run costs that is a call of a function, beside Optuna's `optimize` on files of one machine."""

from __future__ import annotations

from functools import partial
from typing import Any

from common.figures import Medians, Sample
from table import Line
from workbench import Workbench

TITLE = "200 trivial function runs, one and four agents"
NUMBER = {"min": 0.0, "max": 1.0}


def take(bench: Workbench) -> dict[str, Any]:
    runs = bench.size(200, 8)

    def besom(isolation: str, processes: int) -> Sample:
        with bench.server() as server:
            sweep = server.sweep({"x": NUMBER}, program=None)
            found = bench.program(
                "besom", "functions_besom.py", sweep, runs, processes, isolation, environ=server.environ
            )
            done = server.finished(sweep)
        if done < runs:
            raise RuntimeError(f"{done} of {runs} runs finished:\n{found.said[-2000:]}")
        return found.answer

    def optuna(kind: str, processes: int) -> Sample:
        return bench.program("optuna", "functions_optuna.py", kind, runs, processes).answer

    return bench.turns({
        f"{name} x{n}": partial(take_one, word, n)
        for n in (1, 4)
        for name, take_one, word in (
            ("besom pool", besom, "pool"),
            ("optuna journal", optuna, "journal"),
            ("besom process", besom, "process"),
            ("optuna sqlite", optuna, "sqlite"),
        )
    })  # fmt: skip


def lines(samples: dict[str, list[Sample]]) -> list[Line]:
    of = Medians(samples)
    found = []
    for n, words in ((1, "1 agent"), (4, "4 agents")):
        pool, process = of(f"besom pool x{n}", "ms_a_run"), of(f"besom process x{n}", "ms_a_run")
        journal, sqlite = of(f"optuna journal x{n}", "ms_a_run"), of(f"optuna sqlite x{n}", "ms_a_run")
        found += [
            Line(f"function run, pool, {words}", pool, "ms", "Optuna, journal file", journal, at_most=2 / 3),
            Line(f"function run, pool, {words}", pool, "ms", "Optuna, SQLite", sqlite),
            Line(f"function run, process, {words}", process, "ms", "Optuna, journal file", journal),
        ]
    return found
