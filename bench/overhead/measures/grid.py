"""Whether a hand-out depends on how many points a grid has."""

from __future__ import annotations

from typing import Any

from common.figures import Medians, Sample
from table import Line
from workbench import Workbench

TITLE = "hand-out from a grid of 10 and of 10⁹ points"


def take(bench: Workbench) -> dict[str, Any]:
    return bench.turns({"grid": lambda: bench.script("hand_out.py", "--only", "grid")["hand_out"]["grid"]})


def lines(samples: dict[str, list[Sample]]) -> list[Line]:
    of = Medians(samples)
    small, large = of("grid", "grid_10_ms"), of("grid", "grid_1000000000_ms")
    return [Line("hand-out from a grid of 10⁹ points", large, "ms", "of 10 points", small, at_most=1.5)]
