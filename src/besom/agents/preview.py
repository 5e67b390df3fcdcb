"""What an agent would do next, without taking a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from besom.agents.environment import parameter_folder, shown_argv
from besom.client.connection import Connection, part
from besom.errors import NotFound, Refused


def next_argv(
    connection: Connection, address: Mapping[str, str | None], environ: Mapping[str, str], cwd: Path
) -> tuple[list[str], dict[str, Any]]:
    """Argv (``${envvar:…}`` unexpanded: it may be secret) and params of the next run.

    Raises NotFound for no such sweep, Refused when it would hand out nothing now, UsageError when there is no command.
    """
    path = f"/api/v1/sweeps/{part(address['sweep_id'] or '')}"
    query = {"entity": address["entity"], "project": address["project"]}
    try:
        sweep = connection.call("GET", path, query=query)
        found = connection.call("GET", f"{path}/next")
    except NotFound:
        raise NotFound(f"there is no sweep {address['sweep_id']}: `besom ls` lists those that there are") from None
    if found["kind"] != "run":
        raise Refused(f"the sweep would hand out no run now: {found['reason']}")
    config = sweep["config"]
    command = config.get("command") if isinstance(config, dict) else None
    name = found.get("name") or "RUN_ID"
    file = parameter_folder(environ, cwd, sweep["id"]) / f"config-{name}.json"
    params = found["params"]
    return shown_argv(command, sweep["program"], params, file), params
