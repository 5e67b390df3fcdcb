"""A whole training of 10,000 calls, from the start of Python to its end."""

from __future__ import annotations

from functools import partial
from typing import Any

from common.figures import Medians, Sample
from table import Line
from workbench import Workbench, spent

TITLE = "whole process: 10,000 calls, finish acknowledged by a live server"
LIBRARIES = ("besom", "wandb", "trackio")


def take(bench: Workbench) -> dict[str, Any]:
    with bench.server() as server:

        def sample(library: str) -> Sample:
            calls = bench.size(10_000, 200)
            environ = server.environ if library == "besom" else {}
            found = spent(bench.program(library, "training.py", library, calls, environ=environ))
            if library == "besom":
                server.check_whole(calls)
            return found

        return bench.turns({name: partial(sample, name) for name in LIBRARIES}, rounds=bench.size(5, 1))


def lines(samples: dict[str, list[Sample]]) -> list[Line]:
    of, what = Medians(samples), "whole process, 10,000 calls"
    ours = of("besom", "wall_s")
    return [
        Line(what, ours, "s", "wandb offline", of("wandb", "wall_s"), at_most=1 / 8),
        Line(what, ours, "s", "trackio", of("trackio", "wall_s"), at_most=1 / 3),
    ]
