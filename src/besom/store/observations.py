"""What runs have shown at rungs: rows of their own, so that judging reads an index and no history."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, delete, func, select

from besom.engine.judging import Kept, Place
from besom.metric import Goal
from besom.stopping import Seen
from besom.stopping.stopper import Compared
from besom.store import dialects
from besom.store.prepared import Prepared
from besom.store.tables import observation

_COLUMNS = [observation.c[name] for name in Seen._fields]
_OF_RUN = Prepared(
    select(observation.c.track, observation.c.rung, observation.c.step, *_COLUMNS)
    .where(observation.c.run_id == bindparam("of"))
    .order_by(observation.c.track, observation.c.rung)
)
_LEAVE = Prepared(
    delete(observation).where(
        observation.c.run_id == bindparam("of"),
        observation.c.track == bindparam("kind"),
        observation.c.rung == bindparam("height"),
    )
)
_AT_RUNG = (
    (observation.c.sweep_id == bindparam("which"))
    & (observation.c.track == bindparam("kind"))
    & (observation.c.rung == bindparam("height"))
)
_COUNT = Prepared(select(func.count()).select_from(observation).where(_AT_RUNG))
_ORDERS = [
    (goal, name, column.asc() if goal == "minimize" else column.desc())
    for goal in ("minimize", "maximize")
    for name, column in ((name, observation.c[name]) for name in ("value", "best", "mean"))
]
_NTH = {
    (goal, name): Prepared(
        select(observation.c[name]).where(_AT_RUNG).order_by(order).limit(1).offset(bindparam("index"))
    )
    for goal, name, order in _ORDERS
}


def of_run(connection: Connection, run_id: int) -> dict[Place, Kept]:
    """What is kept of a run, by track and rung."""
    rows = _OF_RUN.all(connection, of=run_id)
    return {(track, rung): Kept(step, Seen(*seen)) for track, rung, step, *seen in rows}


def keep(connection: Connection, run_id: int, sweep_id: int, changed: Mapping[Place, Kept | None]) -> None:
    """Writes what a run has shown at rungs; None takes a rung back."""
    rows = [
        {"run_id": run_id, "track": track, "rung": rung, "sweep_id": sweep_id, "step": kept.step, **kept.seen._asdict()}
        for (track, rung), kept in changed.items()
        if kept is not None
    ]
    dialects.upsert(connection, observation, ["run_id", "track", "rung"], rows)
    _LEAVE.many(
        connection,
        [{"of": run_id, "kind": track, "height": rung} for (track, rung), kept in changed.items() if kept is None],
    )


class AtRung:
    """The runs of a sweep that are kept at a rung (`stopping.Peers`): those that came before the one that is judged."""

    def __init__(
        self, connection: Connection, sweep_id: int, track: str, rung: int, compares: Compared, goal: Goal
    ) -> None:
        self._connection = connection
        self._place = {"which": sweep_id, "kind": track, "height": rung}
        self._nth = _NTH[goal, compares]
        self._count: int | None = None

    def count(self) -> int:
        """How many they are; asked of the database once."""
        if self._count is None:
            self._count = int(_COUNT.value(self._connection, **self._place))
        return self._count

    def nth(self, index: int) -> float:
        """The value at this place, best first, from 0."""
        return float(self._nth.value(self._connection, index=index, **self._place))
