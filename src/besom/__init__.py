"""Hyperparameter sweeps on your own machines: the public names and nothing else.

In: nothing at import; each name is loaded when it is first used. Out: `init`, `log`, `config`, `summary`, `run`,
`finish`, `save`, `define_metric`, `mark_preempting`, `sweep`, `agent`, `Api`, `Run`, `Settings` and the errors.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from besom.common.version import VERSION as __version__

if TYPE_CHECKING:
    from besom.agents.function import run_agent as agent
    from besom.client.api import Api
    from besom.client.current import config, define_metric, finish, log, mark_preempting, save, summary
    from besom.client.run import Run
    from besom.client.settings import Settings
    from besom.client.start import init
    from besom.client.sweeps import sweep
    from besom.errors import (
        BesomError,
        ConfigError,
        DataFolderError,
        Forbidden,
        IncompatibleVersion,
        NotFound,
        Refused,
        ServerBusy,
        ServerError,
        ServerUnreachable,
        SweepConfigError,
        Unauthorized,
        UsageError,
    )

    run: Run | None

__all__ = [
    "Api",
    "BesomError",
    "ConfigError",
    "DataFolderError",
    "Forbidden",
    "IncompatibleVersion",
    "NotFound",
    "Refused",
    "Run",
    "ServerBusy",
    "ServerError",
    "ServerUnreachable",
    "Settings",
    "SweepConfigError",
    "Unauthorized",
    "UsageError",
    "__version__",
    "agent",
    "config",
    "define_metric",
    "finish",
    "init",
    "log",
    "mark_preempting",
    "run",
    "save",
    "summary",
    "sweep",
]

# Name → where it is defined; a name that is not here is defined in `errors`.
_PLACES = {
    "Api": ("besom.client.api", "Api"),
    "Run": ("besom.client.run", "Run"),
    "Settings": ("besom.client.settings", "Settings"),
    "agent": ("besom.agents.function", "run_agent"),
    "config": ("besom.client.current", "config"),
    "define_metric": ("besom.client.current", "define_metric"),
    "finish": ("besom.client.current", "finish"),
    "init": ("besom.client.start", "init"),
    "log": ("besom.client.current", "log"),
    "mark_preempting": ("besom.client.current", "mark_preempting"),
    "save": ("besom.client.current", "save"),
    "summary": ("besom.client.current", "summary"),
    "sweep": ("besom.client.sweeps", "sweep"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'besom' has no attribute {name!r}")
    from importlib import import_module

    if name == "run":
        # The only name whose value changes: the run of this process, None before init() and after finish().
        return import_module("besom.client.current").run
    place, inner = _PLACES.get(name, ("besom.errors", name))
    found = getattr(import_module(place), inner)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)


if os.environ.get("BESOM_RUN_DIR"):
    # A run of a sweep: what the script parses from now on counts as read (client/reads.py).
    from besom.client.reads import watch as _watch

    _watch()
