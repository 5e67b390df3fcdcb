"""What one suggestion costs, with so many runs told before: CPU seconds, and the process's memory and start."""

from __future__ import annotations

from random import Random
from statistics import median
from typing import Any

from asker import Asker
from functions import FUNCTIONS
from reference import draw

COUNTS = (50, 100, 500, 1000, 3000)
# Ten numbers; the runs told are random, so that every engine has the same.
NAME = "levy10"
SUGGESTIONS = 5


def take_time(asker: Asker, method: str, runs: int) -> dict[str, Any]:
    """Tells random runs, then asks and tells `SUGGESTIONS` times; the first ask may have to build what is kept."""
    function, random = FUNCTIONS[NAME], Random(f"times {runs}")
    ready = asker.start(function.config, 0, method, runs + SUGGESTIONS)
    told_s = 0.0
    for number in range(runs):
        params = draw(function.parameters, random)
        told_s += asker.tell(number, params, function.measure(params))["cpu_s"]
    asks: list[float] = []
    for number in range(runs, runs + SUGGESTIONS):
        answer = asker.ask(number)
        asks.append(round(answer["cpu_s"], 4))
        told_s += asker.tell(number, answer["params"], function.measure(answer["params"]))["cpu_s"]
    return {
        "version": ready["version"],
        "asks_cpu_s": asks,
        "ask_cpu_s": median(asks),
        "tells_cpu_s": round(told_s, 3),
        "start_cpu_s": round(ready["cpu_s"], 3),
        "peak_mib": round(asker.peak_mib(), 1),
    }
