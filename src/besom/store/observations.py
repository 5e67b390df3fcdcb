"""Values at rungs: rows of their own, so that judging reads one rung and no history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, delete, select

from besom.stopping import RungValue
from besom.store import dialects
from besom.store.prepared import Prepared
from besom.store.tables import observation

_AT_RUNG = Prepared(
    select(observation.c.value, observation.c.best)
    .where(observation.c.sweep_id == bindparam("which"), observation.c.rung == bindparam("height"))
    .order_by(observation.c.run_id)
)


def known_rungs(connection: Connection, run_id: int, rungs: Sequence[int]) -> set[int]:
    """Those of the rungs that the run has reached before."""
    query = select(observation.c.rung).where(observation.c.run_id == run_id, observation.c.rung.in_(rungs))
    return set(connection.execute(query).scalars())


def keep(connection: Connection, run_id: int, sweep_id: int, touched: Mapping[int, RungValue | None]) -> None:
    """Writes what a run showed at rungs; None takes a rung back."""
    rows = [
        {"run_id": run_id, "rung": rung, "sweep_id": sweep_id, "value": found.value, "best": found.best}
        for rung, found in touched.items()
        if found is not None
    ]
    dialects.upsert(connection, observation, ["run_id", "rung"], rows)
    left = [rung for rung, found in touched.items() if found is None]
    if left:
        connection.execute(delete(observation).where(observation.c.run_id == run_id, observation.c.rung.in_(left)))


def at_rung(connection: Connection, sweep_id: int, rung: int) -> list[RungValue]:
    """What all runs of a sweep showed at a rung, in the order of the runs."""
    return [RungValue(*row) for row in _AT_RUNG.all(connection, which=sweep_id, height=rung)]
