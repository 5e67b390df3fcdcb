"""Event rows: written in the transaction of the change that they tell of, read as "everything after N".

What a transaction tells is gathered with its connection and written at its end, in the order in which it was told.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from besom.store.prepared import Prepared
from besom.store.tables import event
from besom.wire.encoding import iso
from besom.wire.events import Event, EventKind

_ADD = Prepared(insert(event).inline(), ["at", "sweep_uid", "run_uid", "kind", "data"])
_LAST = Prepared(select(func.coalesce(func.max(event.c.id), 0)))


def tell(
    connection: Connection,
    kind: EventKind,
    now: float,
    *,
    sweep: str | None = None,
    run: str | None = None,
    **data: Any,
) -> None:
    """Tells of a change. ``sweep`` and ``run`` are uids."""
    _told(connection).append({"at": now, "sweep_uid": sweep, "run_uid": run, "kind": kind, "data": data})


def _told(connection: Connection) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = connection.info.setdefault("events", [])
    return told


def count_told(connection: Connection) -> int:
    """How many events this transaction has told of."""
    return len(_told(connection))


def take_back(connection: Connection, count: int) -> None:
    """Forgets all but the first ``count`` events: the change that told them was rolled back."""
    del _told(connection)[count:]


def write_told(connection: Connection) -> int:
    """Writes what was told and returns the id of the last event; 0 for none. To be called before the commit."""
    told = _told(connection)
    if not told:
        return 0
    _ADD.many(connection, told)
    told.clear()
    return last_id(connection)


def last_id(connection: Connection) -> int:
    """The id of the newest event; 0 before the first."""
    return int(_LAST.value(connection))


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
