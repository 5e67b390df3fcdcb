"""The environment variables of agents: one table, which the docs print. What a child is given: `environment`."""

from __future__ import annotations

from collections.abc import Mapping

from besom.client.settings import Variable

VARIABLES: tuple[Variable, ...] = (
    Variable(
        "BESOM_AGENT_DISABLE_FLAPPING",
        "true: an agent goes on after three failures in its first minute",
        twin="WANDB_AGENT_DISABLE_FLAPPING",
        default="false",
    ),
    Variable(
        "BESOM_AGENT_MAX_INITIAL_FAILURES",
        "so many failures, with at most one success beside them, end an agent",
        twin="WANDB_AGENT_MAX_INITIAL_FAILURES",
        default="5",
    ),
    Variable(
        "BESOM_AGENT_KILL_DELAY",
        "seconds between asking a run to stop and killing it",
        twin="WANDB_AGENT_KILL_DELAY",
        default="30",
    ),
    Variable(
        "BESOM_AGENT_HEARTBEAT",
        "most seconds between two heartbeats; the server asks for one every 5 s",
        default="5",
    ),
    Variable(
        "BESOM_AGENT_SERVER_PATIENCE",
        "seconds that an agent waits for a server that went away, before it ends; a run that trains goes on meanwhile",
        default="600",
    ),
    Variable(
        "BESOM_AGENT_REPORT_INTERVAL",
        "accepted for W&B's sake, without effect",
        twin="WANDB_AGENT_REPORT_INTERVAL",
        default="0",
    ),
)
_WHOLE_NUMBERS = ("BESOM_AGENT_MAX_INITIAL_FAILURES",)
_SECONDS = ("BESOM_AGENT_KILL_DELAY", "BESOM_AGENT_HEARTBEAT", "BESOM_AGENT_SERVER_PATIENCE")
_BY_NAME = {variable.name: variable for variable in VARIABLES}


def read(environ: Mapping[str, str], name: str) -> str:
    """The value of one of VARIABLES: ours, else W&B's, else the default. An empty variable counts as absent."""
    variable = _BY_NAME[name]
    return environ.get(name) or environ.get(variable.twin) or variable.default


def number(environ: Mapping[str, str], name: str) -> float:
    """The value of a variable that is a number; what is none leaves the default, and `misread` says so."""
    found = _parsed(name, read(environ, name))
    return float(_BY_NAME[name].default) if found is None else found


def misread(environ: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that should be a number and is none."""
    found = []
    for name in (*_WHOLE_NUMBERS, *_SECONDS):
        if _parsed(name, text := read(environ, name)) is None:
            variable = _BY_NAME[name]
            given = name if environ.get(name) else variable.twin
            wanted = "a whole number" if name in _WHOLE_NUMBERS else "a number of seconds"
            found.append(f"{given}={text!r} is not {wanted}: {variable.default} is used")
    return found


def _parsed(name: str, text: str) -> float | None:
    try:
        found = int(text) if name in _WHOLE_NUMBERS else float(text)
    except ValueError:
        return None
    return found if name in _WHOLE_NUMBERS or found >= 0 else None
