"""Whether a hand-out depends on how many points a grid has."""

from __future__ import annotations

import json
from typing import Any

from common.figures import Medians, Sample
from table import Line
from workbench import Workbench

TITLE = "hand-out from a grid of 10 and of 10⁹ points"


def take(bench: Workbench) -> dict[str, Any]:
    rounds = bench.size(300, 20)

    def besom() -> Sample:
        with bench.server() as server:
            few = {"a": {"values": list(range(10))}}
            many = {name: {"values": list(range(1000))} for name in "abc"}
            # A small grid is soon used up: as many of them as the rounds need.
            sweeps = {
                "few": [server.sweep(few, method="grid") for _ in range(rounds // 10)],
                "many": [server.sweep(many, method="grid")],
            }
            found = bench.program("besom", "asks_besom.py", server.url, server.token, rounds, json.dumps(sweeps)).answer
        return {"grid_10_ms": found["few"]["p50_ms"], "grid_1000000000_ms": found["many"]["p50_ms"]}

    return bench.turns({"grid": besom})


def lines(samples: dict[str, list[Sample]]) -> list[Line]:
    of = Medians(samples)
    small, large = of("grid", "grid_10_ms"), of("grid", "grid_1000000000_ms")
    return [Line("hand-out from a grid of 10⁹ points", large, "ms", "of 10 points", small, at_most=1.5)]
