"""The same with rows that leave the fast path."""

from __future__ import annotations

from functools import partial
from typing import Any

from common.figures import Medians, Sample
from table import Line
from workbench import Workbench

TITLE = "log of other rows: changing keys, strings, 0-d tensors, NaN"
ROWS = ("changing keys", "strings", "0-d tensors", "NaN")
LIBRARIES = ("besom", "wandb", "trackio")


def take(bench: Workbench) -> dict[str, Any]:
    numpy = {"PYTHONPATH": str(bench.environments.numpy())}
    with bench.server() as server:

        def sample(library: str, kind: str) -> Sample:
            environ = {**(server.environ if library == "besom" else {}), **(numpy if kind == "0-d tensors" else {})}
            calls = bench.size(5_000, 300)
            return bench.program(library, "log_calls.py", library, kind, calls, environ=environ).answer

        contenders = {f"{name} {kind}": partial(sample, name, kind) for kind in ROWS for name in LIBRARIES}
        return bench.turns(contenders, rounds=max(1, bench.rounds - 1))


def lines(samples: dict[str, list[Sample]]) -> list[Line]:
    of = Medians(samples)
    return [
        Line(f"`log`, {kind}, {figure}", of(f"besom {kind}", key), "µs", against, of(f"{peer} {kind}", key))
        for kind in ROWS
        for figure, key in (("p50", "p50_us"), ("p99", "p99_us"))
        for peer, against in (("wandb", "wandb offline"), ("trackio", "trackio"))
    ]
