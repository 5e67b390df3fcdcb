"""A busy server: two hundred agents whose runs log."""

from __future__ import annotations

from typing import Any

from common.figures import Medians, Sample
from table import Line
from workbench import Workbench

TITLE = "200 simulated agents at one POST a second"


def take(bench: Workbench) -> dict[str, Any]:
    agents, seconds = bench.size(200, 20), bench.size(20, 4)

    def besom() -> Sample:
        with bench.server() as server:
            sweep = server.sweep({name: {"min": 0.0, "max": 1.0} for name in "abc"}, metric={"name": "m0"})
            return bench.program(
                "besom", "agents_besom.py", server.url, server.token, sweep, server.pid, agents, seconds
            ).answer

    return bench.turns({"agents": besom}, rounds=max(1, bench.rounds - 1))


def lines(samples: dict[str, list[Sample]]) -> list[Line]:
    of, what = Medians(samples), "200 agents, one POST a second"
    return [
        Line(f"{what}: heartbeat p99", of("agents", "heartbeat_p99_ms"), "ms", at_most=50.0),
        Line(f"{what}: server CPU", of("agents", "server_cores"), "core", at_most=0.3),
        Line(f"{what}: POSTs answered a second", of("agents", "posts_a_second"), "/s"),
    ]
