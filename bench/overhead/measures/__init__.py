"""The measures, in the order of the table; each module has a TITLE, `take` (samples) and `lines` (comparisons).

In: a workbench. Out: samples that JSON can hold, and lines made from them, so that old samples can be read again.
"""

from __future__ import annotations

from types import ModuleType

from measures import (
    agents,
    claims,
    cold,
    cpu,
    functions,
    grid,
    history,
    idle,
    large,
    log,
    processes,
    training,
    variants,
)

MEASURES: dict[str, ModuleType] = {
    "log": log,
    "variants": variants,
    "cpu": cpu,
    "training": training,
    "cold": cold,
    "processes": processes,
    "functions": functions,
    "claims": claims,
    "grid": grid,
    "history": history,
    "agents": agents,
    "idle": idle,
    "large": large,
}
