"""From the text of a sweep file to a checked `SweepConfig`.

In: YAML or JSON text, or a JSON-like Python object. Out: a `SweepConfig`, or all problems at once with their places;
what a config means (`check`); the JSON Schema and the help of every key.
"""

from besom.sweep_config.check import check
from besom.sweep_config.config import Retry, SweepConfig
from besom.sweep_config.early_terminate_section import read_early_terminate
from besom.sweep_config.explain import explain
from besom.sweep_config.problems import Problem
from besom.sweep_config.read import read_sweep_config
from besom.sweep_config.schema import json_schema
from besom.sweep_config.tree import MAX_FILE_BYTES

__all__ = [
    "MAX_FILE_BYTES",
    "Problem",
    "Retry",
    "SweepConfig",
    "check",
    "explain",
    "json_schema",
    "read_early_terminate",
    "read_sweep_config",
]
