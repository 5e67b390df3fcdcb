"""What a transaction knows of its sweeps: each is read once, and what its runs count is written once, at the end.

Many changes share a transaction, and most of them count something of the same sweep. Between `begin` and `end` a sweep
that was read is kept, with what was counted since; outside of that nothing is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace
from sqlalchemy import BigInteger, Connection, bindparam, update

from besom.engine.records import Sweep
from besom.engine.states import RUN_STATES
from besom.store.prepared import Prepared
from besom.store.tables import sweep

COUNTS = [f"n_{state}" for state in RUN_STATES]
_COUNTERS = (*COUNTS, "waiting", "created_runs", "next_number", "run_time_ms", "since_best")
_COUNT = Prepared(
    update(sweep)
    .where(sweep.c.id == bindparam("which"))
    .values({name: sweep.c[name] + bindparam(f"more_{name}", type_=BigInteger) for name in _COUNTERS})
)


@dataclass(slots=True)
class Kept:
    """Sweeps as they are now, by id, and what of their counters is not written yet."""

    known: dict[int, Sweep] = field(default_factory=dict)
    unwritten: dict[int, Mapping[str, int]] = field(default_factory=dict)

    def copy(self) -> Kept:
        """The same, for going back to it."""
        return Kept(dict(self.known), dict(self.unwritten))


def begin(connection: Connection) -> None:
    """Starts to keep sweeps: at the start of a transaction that writes."""
    connection.info["sweeps"] = Kept()


def end(connection: Connection) -> None:
    """Writes what was counted and keeps nothing any more: before the commit."""
    write_all(connection)
    connection.info["sweeps"] = None


def mark(connection: Connection) -> Kept:
    """What is kept now, to be given to `take_back`."""
    return _kept(connection).copy()


def take_back(connection: Connection, marked: Kept) -> None:
    """Goes back to what was kept: the changes since then were rolled back."""
    connection.info["sweeps"] = marked


def _kept(connection: Connection) -> Kept:
    return connection.info.get("sweeps") or Kept()


def known(connection: Connection, sweep_id: int) -> Sweep | None:
    """The sweep as it is now, if this transaction has read it."""
    return _kept(connection).known.get(sweep_id)


def keep(connection: Connection, which: Sweep) -> None:
    """Keeps a sweep that was read just now, with everything that was counted."""
    _kept(connection).known[which.id] = which


def add(connection: Connection, sweep_id: int, changes: Mapping[str, int]) -> None:
    """Adds to ``n_<state>``, ``waiting``, ``created_runs`` and the like of a sweep."""
    if connection.info.get("sweeps") is None:
        _write(connection, sweep_id, changes)
        return
    kept = _kept(connection)
    before = kept.unwritten.get(sweep_id, {})
    kept.unwritten[sweep_id] = {**before, **{name: before.get(name, 0) + more for name, more in changes.items()}}
    if (found := kept.known.get(sweep_id)) is not None:
        kept.known[sweep_id] = _counted(found, changes)


def _counted(which: Sweep, changes: Mapping[str, int]) -> Sweep:
    values: dict[str, Any] = {}
    counts: dict[Any, int] = dict(which.counts)
    for name, more in changes.items():
        if name.startswith("n_"):
            counts[name[2:]] += more
        else:
            values[name] = getattr(which, name) + more
    return replace(which, counts=counts, **values)


def write_all(connection: Connection) -> None:
    """Writes what was counted: before anything else reads rows of sweeps."""
    unwritten = _kept(connection).unwritten
    for sweep_id, changes in unwritten.items():
        _write(connection, sweep_id, changes)
    unwritten.clear()


def forget(connection: Connection, sweep_id: int) -> None:
    """Writes what was counted of a sweep and keeps it no more: its row is about to change."""
    kept = _kept(connection)
    _write(connection, sweep_id, kept.unwritten.pop(sweep_id, {}))
    kept.known.pop(sweep_id, None)


def _write(connection: Connection, sweep_id: int, changes: Mapping[str, int]) -> None:
    if any(changes.values()):
        more = {f"more_{name}": changes.get(name, 0) for name in _COUNTERS}
        _COUNT.execute(connection, which=sweep_id, **more)
