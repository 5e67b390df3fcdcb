"""A sweep of 100,000 runs: does its next hand-out, its list, its export notice?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from fnmatch import fnmatch
from typing import Any

from common.figures import Sample
from table import Line
from workbench import Workbench

TITLE = "100,000 runs in one sweep: hand-out, lists, export, page data"
# 500 MB, in the unit of the table.
MEMORY_MIB = 500e6 / 2**20
LOOKS = {
    "besom ls": "`besom ls`",
    "besom export * --format csv": "`besom export`, CSV",
    "besom export * --json": "`besom export`, JSON",
    "GET /bench/bench/sweeps/*": "the sweep's page",
    "GET /api/*/runs?order=score&limit=100": "a page of runs by score",
}


def take(bench: Workbench) -> dict[str, Any]:
    runs = bench.size(100_000, 1_000)
    looks = bench.script("large_sweep.py", "--runs", runs)
    return {"hand-out": [hand_outs(bench, 100, runs)], "looks": next(iter(looks.values()))}


def hand_outs(bench: Workbench, *sizes: int) -> Sample:
    """How long a hand-out takes after so many finished runs, in sweeps of one server."""
    with bench.place() as place:
        url = f"sqlite:///{place}/large.db"
        filled = bench.program("besom", "fill_besom.py", url, *sizes).answer["sweeps"]
        sweeps = {str(size): [sweep] for size, sweep in zip(sizes, filled, strict=True)}
        with bench.server(url) as server:
            words = (server.url, server.token, bench.size(300, 20), json.dumps(sweeps))
            found = bench.program("besom", "asks_besom.py", *words).answer
    return {f"runs_{size}_{name}": value for size, figures in found.items() for name, value in figures.items()}


def lines(samples: dict[str, list[Sample]]) -> list[Line]:
    found = samples["hand-out"][0]
    large = max(int(name.split("_")[1]) for name in found if name.endswith("_p99_ms"))
    p99, beside = found[f"runs_{large}_p99_ms"], found["runs_100_p99_ms"]
    most = max(max(cost["command_mib"], cost["server_mib"]) for cost in samples["looks"])
    return [
        Line(f"hand-out p99 after {large:,} runs", p99, "ms", "after 100", beside, at_most=2.0),
        Line(f"{large:,} runs, all commands and pages: most memory of one process", most, "MiB", at_most=MEMORY_MIB),
        *(
            line
            for pattern, words in LOOKS.items()
            for line in _look(f"{large:,} runs, {words}", pattern, samples["looks"])
        ),
    ]


def _look(what: str, pattern: str, looks: Sequence[Sample]) -> list[Line]:
    cost = next(cost for cost in looks if fnmatch(cost["what"], pattern))
    memory = max(cost["command_mib"], cost["server_mib"])
    return [
        Line(f"{what}: most memory", memory, "MiB", at_most=MEMORY_MIB),
        Line(f"{what}: time", cost["seconds"], "s"),
    ]
