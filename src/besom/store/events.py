"""Event rows: written in the transaction of the change that they tell of, read as "everything after N"."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from besom.store.tables import event
from besom.wire.encoding import iso
from besom.wire.events import Event, EventKind


def tell(
    connection: Connection,
    kind: EventKind,
    now: float,
    *,
    sweep: str | None = None,
    run: str | None = None,
    **data: Any,
) -> None:
    """Writes an event. ``sweep`` and ``run`` are uids."""
    row = {"at": now, "sweep_uid": sweep, "run_uid": run, "kind": kind, "data": data}
    result = connection.execute(insert(event).values(row).returning(event.c.id))
    connection.info["last_event"] = result.scalar_one()


def last_told(connection: Connection) -> int:
    """The id of the last event in this transaction; 0 for none."""
    last: int = connection.info.get("last_event", 0)
    return last


def take_back(connection: Connection, told: int) -> None:
    """Forgets what a rolled-back change told after ``told``: the bell must not promise it."""
    connection.info["last_event"] = told


def last_written(connection: Connection) -> int:
    """The id of the last event written through this connection since the last call; 0 for none."""
    last: int = connection.info.pop("last_event", 0)
    return last


def last_id(connection: Connection) -> int:
    """The id of the newest event; 0 before the first."""
    return int(connection.execute(select(func.coalesce(func.max(event.c.id), 0))).scalar_one())


def after(connection: Connection, last: int, sweep: str | None = None, limit: int = 500) -> list[Event]:
    """The events after ``last`` in commit order, all or those of one sweep."""
    query = select(event).where(event.c.id > last).order_by(event.c.id).limit(limit)
    if sweep is not None:
        query = query.where(event.c.sweep_uid == sweep)
    return [
        Event(id=row.id, at=iso(row.at) or "", kind=row.kind, sweep=row.sweep_uid, run=row.run_uid, data=row.data)
        for row in connection.execute(query)
    ]


def trim(connection: Connection, keep: int) -> None:
    """Forgets all but the newest ``keep`` events."""
    connection.execute(delete(event).where(event.c.id <= last_id(connection) - keep))
