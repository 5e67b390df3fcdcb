"""The schema, a file for each noun. Ids are whole numbers inside, short random text (``uid``) outside.

In: nothing. Out: tables, whose times are seconds since 1970 (UTC).
The counters on `sweep` are kept with every move of a run, so that a hand-out never counts runs.
"""

from besom.store.tables.history import chunk, console, key, stream, summary, tail
from besom.store.tables.runs import attempt, file, observation, run
from besom.store.tables.schema import metadata, storable
from besom.store.tables.server import event, meta, token
from besom.store.tables.sweeps import agent, project, suggestion, sweep, sweep_file, tried

__all__ = [
    "agent",
    "attempt",
    "chunk",
    "console",
    "event",
    "file",
    "key",
    "meta",
    "metadata",
    "observation",
    "project",
    "run",
    "storable",
    "stream",
    "suggestion",
    "summary",
    "sweep",
    "sweep_file",
    "tail",
    "token",
    "tried",
]
