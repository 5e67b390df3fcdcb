"""What a training pays before its first step: import, init, finish; and the import alone."""

from __future__ import annotations

from functools import partial
from typing import Any

from common.figures import Medians, Sample
from table import Line
from workbench import Workbench, spent

TITLE = "cold import + init + finish; import alone"
LIBRARIES = ("besom", "wandb", "trackio")


def take(bench: Workbench) -> dict[str, Any]:
    with bench.server() as server:

        def begin(library: str) -> Sample:
            environ = server.environ if library == "besom" else {}
            return spent(bench.program(library, "training.py", library, 0, environ=environ))

        def bring_in(library: str) -> Sample:
            times = bench.size(15 if library == "besom" else 3, 2)
            return bench.program(library, "import_cost.py", library, times).answer

        contenders = {name: partial(begin, name) for name in LIBRARIES}
        imports = {f"{name} import": partial(bring_in, name) for name in LIBRARIES}
        return bench.turns({**contenders, **imports}, rounds=bench.rounds)


def lines(samples: dict[str, list[Sample]]) -> list[Line]:
    of = Medians(samples)
    cold, alone = "cold import + init + finish", "import over bare Python"
    ours, over = of("besom", "wall_s"), of("besom import", "over_ms")
    strangers = max(len(sample["third_party"]) for sample in samples["besom import"])
    return [
        Line(cold, ours, "s", "wandb offline", of("wandb", "wall_s"), at_most=1 / 9),
        Line(cold, ours, "s", "trackio", of("trackio", "wall_s"), at_most=1 / 5),
        Line(alone, over, "ms", at_most=40.0),
        Line(alone, over, "ms", "wandb", of("wandb import", "over_ms")),
        Line(alone, over, "ms", "trackio", of("trackio import", "over_ms")),
        Line("third-party modules that the import loads", strangers, "", at_most=0),
    ]
