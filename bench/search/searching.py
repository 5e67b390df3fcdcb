"""One search: an engine, a function, a seed, and one or several runs at a time."""

from __future__ import annotations

import heapq
import json
import time
from random import Random
from typing import Any

from asker import Asker
from functions import Function

# A run of several at a time takes between 1 and 1 + JITTER units of a clock that nobody waits for.
JITTER = 0.2


def search(asker: Asker, function: Function, seed: int, method: str, parallel: int) -> dict[str, Any]:
    """Asks until the function's runs are used up or nothing is left; a run that ends makes room for the next.

    Answers ``values``, the metric without noise in the order in which runs ended (None: crashed), with noise also
    ``told``, and what the search has cost.
    """
    ready = asker.start(function.config, seed, method, function.runs)
    noise, durations = Random(f"noise {seed}"), Random(f"durations {seed}")
    under_way: list[tuple[float, int, Any]] = []
    values: list[float | None] = []
    told: list[float | None] = []
    points: set[str] = set()
    asked, clock, cpu_s, exhausted, begun = 0, 0.0, 0.0, False, time.monotonic()
    while under_way or not exhausted:
        while len(under_way) < parallel and not exhausted:
            answer = asker.ask(asked)
            cpu_s += answer["cpu_s"]
            if answer["params"] is not None:
                points.add(json.dumps(answer["params"], sort_keys=True))
                heapq.heappush(under_way, (clock + 1 + JITTER * durations.random(), asked, answer["params"]))
                asked += 1
            exhausted = answer["params"] is None or asked == function.runs
        if under_way:
            clock, number, params = heapq.heappop(under_way)
            value = function.measure(params)
            seen = None if value is None else value + noise.gauss(0, function.noise)
            cpu_s += asker.tell(number, params, seen)["cpu_s"]
            values.append(value)
            told.append(seen)
    cost = {"distinct": len(points), "cpu_s": round(cpu_s, 2), "wall_s": round(time.monotonic() - begun, 1)}
    return {
        "version": ready["version"],
        "values": _short(values),
        **({"told": _short(told)} if function.noise else {}),
        **cost,
    }


def _short(values: list[float | None]) -> list[float | None]:
    return [None if value is None else float(f"{value:.8g}") for value in values]
