"""From what the user typed to the thing on the server."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from besom.client.connection import Connection, part
from besom.client.finding import find_server
from besom.common.ids import SWEEP_ID, split_path
from besom.errors import NotFound

# Runs and rows of one answer.
PAGE = 500
ROWS = 5000


def connect() -> Connection:
    """The server that is meant; this machine's own one is started when it is not there."""
    return find_server()


def sweep_address(path: str) -> tuple[str, dict[str, str]]:
    """``[ENTITY/][PROJECT/]ID`` as the API's path and query."""
    entity, project, name = split_path(path, "sweep")
    named = {"entity": entity, "project": project}
    return f"/api/v1/sweeps/{part(name)}", {key: value for key, value in named.items() if value is not None}


def find_sweep(connection: Connection, path: str) -> dict[str, Any]:
    """The sweep (`SweepAnswer`); raises NotFound with a sentence."""
    sweep: dict[str, Any] = call_sweep(connection, "GET", path)
    return sweep


def call_sweep(
    connection: Connection, method: str, path: str, verb: str = "", body: Mapping[str, Any] | None = None
) -> Any:
    """One request about a sweep, ``/sweeps/{id}[/verb]``; raises NotFound with a sentence."""
    address, query = sweep_address(path)
    try:
        return connection.call(method, f"{address}/{verb}" if verb else address, body, query=query)
    except NotFound:
        raise NotFound(f"there is no sweep {path}: `besom ls` lists those that there are") from None


def find_run(connection: Connection, path: str) -> dict[str, Any]:
    """The run with its attempts (`RunAnswer`); raises NotFound with a sentence, Refused when several are meant."""
    split_path(path, "run")
    try:
        run: dict[str, Any] = connection.call("GET", "/api/v1/runs/find", query={"path": path.strip().strip("/")})
    except NotFound:
        raise NotFound(f"there is no run {path}: `besom show SWEEP` lists a sweep's runs") from None
    return run


class Found(NamedTuple):
    """What a path names, and the server's answer about it."""

    kind: Literal["sweep", "run"]
    answer: dict[str, Any]


def find_either(connection: Connection, path: str) -> Found:
    """The sweep or run that the path names, a sweep where it could be both; raises NotFound with a sentence."""
    _, _, name = split_path(path, "sweep or run")
    if SWEEP_ID.fullmatch(name):
        with contextlib.suppress(NotFound):
            return Found("sweep", find_sweep(connection, path))
    try:
        return Found("run", find_run(connection, path))
    except NotFound:
        raise NotFound(f"there is no sweep and no run {path}: `besom ls` lists the sweeps") from None


def runs_of(
    connection: Connection, sweep_id: str, *, order: str = "score", most: int | None = None
) -> Iterator[dict[str, Any]]:
    """A sweep's runs in the order of ``score`` (best first), ``created`` or ``idx``; fetched as they are read."""
    after: str | None = None
    left = most
    while True:
        query = {"order": order, "limit": PAGE if left is None else min(PAGE, left), "after": after}
        page = connection.call("GET", f"/api/v1/sweeps/{part(sweep_id)}/runs", query=query)
        yield from page["runs"]
        after = page.get("next")
        left = None if left is None else left - len(page["runs"])
        if after is None or left == 0:
            return


def history_of(connection: Connection, uid: str, keys: Collection[str] = ()) -> Iterator[dict[str, Any]]:
    """A run's rows in order of step, with these keys or all of them; they are fetched as they are read."""
    step: int | None = None
    # The address separates them by commas.
    wanted = None if not keys or any("," in key for key in keys) else ",".join(sorted(keys))
    while True:
        query = {"from_step": step, "limit": ROWS, "keys": wanted}
        page = connection.call("GET", f"/api/v1/runs/{part(uid)}/history", query=query)
        yield from page["rows"]
        step = page.get("next_step")
        if step is None:
            return


def best_run(connection: Connection, sweep: Mapping[str, Any]) -> dict[str, Any] | None:
    """The sweep's best run by its metric; None before the first score."""
    found: dict[str, Any] | None = connection.call("GET", f"/api/v1/sweeps/{part(sweep['id'])}/best")["run"]
    return found
