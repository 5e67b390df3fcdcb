"""`besom.sweep()`: makes a sweep out of a dictionary, a function that returns one, or a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from besom.client.finding import find_server
from besom.client.project_name import default_project
from besom.client.say import say
from besom.client.settings import read
from besom.client.values import jsonable
from besom.common.ids import new_id
from besom.errors import UsageError

# The server may just be restarting; a sweep is made once all the same, by its request id.
PATIENCE_S = 10.0


def sweep(
    sweep: Mapping[str, Any] | Callable[[], Any] | str | os.PathLike[str],
    entity: str | None = None,
    project: str | None = None,
    prior_runs: Iterable[str] | None = None,
) -> str:
    """Makes a sweep and returns its id, which `besom.agent` and `besom agent` take.

    ``sweep`` is the sweep config as a dictionary, a function without arguments that returns one, or the path of a
    YAML or JSON file. Prints ``Create sweep with ID: …`` and ``Sweep URL: …`` on stdout, as W&B does. Raises
    SweepConfigError with every problem of the config, and ServerUnreachable.
    """
    answer = create_sweep(sweep, entity=entity, project=project, prior_runs=prior_runs)
    for note in answer.get("notes") or ():
        say(str(note))
    sys.stdout.write(f"Create sweep with ID: {answer['id']}\nSweep URL: {answer['url']}\n")
    sys.stdout.flush()
    return str(answer["id"])


def create_sweep(
    source: Any, *, entity: str | None = None, project: str | None = None, prior_runs: Iterable[str] | None = None
) -> dict[str, Any]:
    """The server's ``SweepAnswer`` for a new sweep."""
    request = {
        "request_id": new_id(16),
        "entity": entity or read("BESOM_ENTITY"),
        "project": project or read("BESOM_PROJECT"),
        "prior_runs": list(prior_runs or ()),
        "default_project": default_project(),
        **sweep_source(source),
    }
    connection = find_server(say=lambda line: say(line.removeprefix("besom: ")))
    answer: dict[str, Any] = connection.call("POST", "/api/v1/sweeps", request, patience_s=PATIENCE_S)
    return answer


def sweep_source(source: Any) -> dict[str, Any]:
    """The fields of ``SweepSource`` for a config as users hand it over."""
    if isinstance(source, (str, os.PathLike)):
        return _file(Path(source))
    config = source() if callable(source) and not isinstance(source, Mapping) else source
    if not isinstance(config, Mapping):
        raise UsageError(
            "sweep() takes a dictionary, a function that returns one, or the path of a file, not "
            f"{type(config).__name__}"
        )
    return {"config": jsonable(config)}


def _file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"Couldn't open sweep file: {path} ({getattr(error, 'strerror', None) or error})") from None
    return {"text": text, "file": str(path), "format": "json" if path.suffix == ".json" else "yaml"}
