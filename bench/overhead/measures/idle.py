"""What waits costs: a server that nobody asks, an agent without runs, an agent whose run computes."""

from __future__ import annotations

from typing import Any

from common.figures import Sample
from table import Line
from workbench import Workbench

TITLE = "idle server, idle agent"


def take(bench: Workbench) -> dict[str, Any]:
    seconds = bench.size(40, 2)
    return {
        "server": [bench.script("hand_out.py", "--only", "idle")["hand_out"]["idle"]],
        "agent": [bench.script("agents.py", "--only", "idle", "--idle", seconds)["agents"]["idle"]],
    }


def lines(samples: dict[str, list[Sample]]) -> list[Line]:
    agent = samples["agent"][0]
    return [
        Line("idle server", samples["server"][0]["idle_per_cent_of_a_core"], "% of a core", at_most=0.5),
        Line("idle agent, waiting for runs", agent["waiting_cores"] * 100, "% of a core", at_most=0.2),
        Line("idle agent, watching a silent run", agent["watching_cores"] * 100, "% of a core", at_most=0.2),
    ]
