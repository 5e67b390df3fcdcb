"""Hyperparameter sweeps on your own machines: the public names and nothing else.

In: nothing at import; each name is loaded when it is first used. Out: `init`, `log`, `config`, `summary`, `run`,
`finish`, `save`, `define_metric`, `mark_preempting`, `sweep`, `agent`, `suggest`, `Api`, `Run`, `Settings` and the
errors.
"""

from __future__ import annotations

import os

from besom.common.version import VERSION as __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing

    from besom.agents.function import run_agent as agent
    from besom.client.api import Api
    from besom.client.current import config, define_metric, finish, log, mark_preempting, save, summary
    from besom.client.run import Run
    from besom.client.settings import Settings
    from besom.client.start import init
    from besom.client.sweeps import sweep
    from besom.engine.suggesting import suggest
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
    "suggest",
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
    "suggest": ("besom.engine.suggesting", "suggest"),
    "summary": ("besom.client.current", "summary"),
    "sweep": ("besom.client.sweeps", "sweep"),
}


def __getattr__(name: str) -> typing.Any:
    if name not in __all__:
        raise AttributeError(f"module 'besom' has no attribute {name!r}")
    # `run` is the only name whose value changes: the run of this process, None before init() and after finish().
    place, inner = ("besom.client.current", name) if name == "run" else _PLACES.get(name, ("besom.errors", name))
    # With a name to take from it, __import__ returns the module itself, and loads no `importlib` for it.
    found = getattr(__import__(place, fromlist=[inner]), inner)
    if name == "run":
        return found
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)


if os.environ.get("BESOM_RUN_DIR"):
    # A run of a sweep: what the script parses from now on counts as read (client/reads.py).
    from besom.client.reads import watch as _watch

    _watch()
