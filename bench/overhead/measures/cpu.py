"""What `log` costs the whole machine: CPU and memory of the training and of every helper below it."""

from __future__ import annotations

from functools import partial
from typing import Any

from common.figures import Medians, Sample
from table import Line
from workbench import Workbench, spent

TITLE = "CPU a call of client and helpers, and peak memory, at 10,000 and 100,000 calls"
LIBRARIES = ("besom", "wandb", "trackio")


def take(bench: Workbench) -> dict[str, Any]:
    few, many = bench.size(10_000, 200), bench.size(100_000, 400)
    with bench.server() as server:

        def sample(library: str, calls: int) -> Sample:
            environ = server.environ if library == "besom" else {}
            before = server.cpu_s()
            found = spent(bench.program(library, "training.py", library, calls, environ=environ, memory=True))
            if library == "besom":
                server.check_whole(calls)
            return {**found, "server_cpu_s": server.cpu_s() - before, "calls": calls}

        sizes = (("few", few), ("many", many))
        contenders = {f"{name} {word}": partial(sample, name, n) for word, n in sizes for name in LIBRARIES}
        return bench.turns(contenders, rounds=max(1, bench.rounds - 1))


def lines(samples: dict[str, list[Sample]]) -> list[Line]:
    of = Medians(samples)

    def a_call(library: str, figure: str = "cpu_s") -> float | None:
        few, many = of(f"{library} few", figure), of(f"{library} many", figure)
        if few is None or many is None:
            return None
        calls = samples[f"{library} many"][0]["calls"] - samples[f"{library} few"][0]["calls"]
        return (many - few) / calls * 1e6

    what, peak = "CPU a call, client and helpers", "peak memory, 100,000 calls"
    ours, memory = a_call("besom"), of("besom many", "peak_mib")
    return [
        Line(what, ours, "µs", "wandb offline", a_call("wandb"), at_most=1 / 25),
        Line(what, ours, "µs", "trackio", a_call("trackio"), at_most=1 / 5),
        Line("CPU a call, the server beside it", a_call("besom", "server_cpu_s"), "µs"),
        Line(peak, memory, "MiB", "wandb offline", of("wandb many", "peak_mib"), at_most=1 / 4),
        Line(peak, memory, "MiB", "trackio", of("trackio many", "peak_mib")),
        Line(peak, memory, "MiB", "10,000 calls", of("besom few", "peak_mib"), at_most=1.1),
    ]
