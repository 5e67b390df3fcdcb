"""How long a training waits in `log({3 numbers})`."""

from __future__ import annotations

from functools import partial
from typing import Any

from common.figures import Medians, Sample
from table import Line
from workbench import Workbench

TITLE = "log of three numbers, in the training thread"
CONTENDERS = ("besom", "besom offline", "wandb", "trackio", "jsonl", "bare")


def take(bench: Workbench) -> dict[str, Any]:
    with bench.server() as server:

        def sample(library: str) -> Sample:
            environ = server.environ if library == "besom" else {}
            calls = bench.size(10_000, 300)
            found = bench.program(library, "log_calls.py", library, "numbers", calls, environ=environ).answer
            if library == "besom":
                server.check_whole(found["rows"])
            return found

        return bench.turns({name: partial(sample, name) for name in CONTENDERS}, rounds=bench.size(5, 1))


def lines(samples: dict[str, list[Sample]]) -> list[Line]:
    of = Medians(samples)

    def line(figure: str, name: str, against: str, **bar: float) -> Line:
        key = f"{figure}_us"
        return Line(f"`log` of 3 numbers, {figure}", of("besom", key), "µs", against, of(name, key), **bar)

    return [
        line("p50", "wandb", "wandb offline", at_most=1 / 25),
        line("p50", "trackio", "trackio", at_most=1 / 3),
        line("p50", "jsonl", "JSONL by hand", at_most=1.0),
        line("p50", "bare", "bare pack + write", at_most=3.0),
        line("p50", "besom offline", "Besom offline"),
        line("p99", "wandb", "wandb offline", at_most=1 / 30),
        line("p99", "trackio", "trackio", at_most=1 / 4),
        line("p99", "jsonl", "JSONL by hand"),
    ]
