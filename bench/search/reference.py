"""How good random runs are: regret is a share of what they leave."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from random import Random
from statistics import fmean
from typing import Any

from functions import FUNCTIONS

RUNS = 25
REPEATS = 400


@functools.cache
def reference_loss(name: str) -> float:
    """The mean, over `REPEATS` searches of `RUNS` random runs, of the loss of the run that looked best."""
    function, random = FUNCTIONS[name], Random(f"{name}: reference")
    found = []
    for _ in range(REPEATS):
        values = [function.measure(draw(function.parameters, random)) for _ in range(RUNS)]
        losses = [function.loss(value) for value in values if value is not None]
        found.append(min((loss + random.gauss(0, function.noise), loss) for loss in losses)[1])
    return fmean(found)


def draw(parameters: Mapping[str, Any], random: Random) -> dict[str, Any]:
    """Random params by the parameters' own laws."""
    return {name: _value(law, random) for name, law in parameters.items()}


def _value(law: Mapping[str, Any], random: Random) -> Any:
    if "values" in law:
        return random.choice(law["values"])
    low, high = law["min"], law["max"]
    kind = law["distribution"]
    if kind == "int_uniform":
        return random.randint(low, high)
    if kind == "uniform":
        return random.uniform(low, high)
    if kind == "log_uniform_values":
        return math.exp(random.uniform(math.log(low), math.log(high)))
    if kind == "q_log_uniform_values":
        return round(math.exp(random.uniform(math.log(low), math.log(high))) / law["q"]) * law["q"]
    assert kind == "q_uniform", kind
    return round(random.uniform(low, high) / law["q"]) * law["q"]
