"""Draws whose params were chosen ahead, and what a search is told of a sweep's runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, select

from besom.engine.ahead import Ready
from besom.engine.records import Sweep
from besom.engine.states import OPEN
from besom.metric import Metric
from besom.search import Observation
from besom.store import counters, dialects
from besom.store.prepared import Prepared
from besom.store.tables import key, observation, run, suggestion, summary, sweep, tried

_COLUMNS = [suggestion.c[name] for name in Ready.__struct_fields__]
_IN_ORDER = (
    select(*_COLUMNS)
    .where(suggestion.c.sweep_id == bindparam("which"), suggestion.c.number >= bindparam("start"))
    .order_by(suggestion.c.number)
)
_ALL = Prepared(_IN_ORDER)
_FIRST = Prepared(_IN_ORDER.limit(1))
_DROP = Prepared(
    delete(suggestion).where(suggestion.c.sweep_id == bindparam("which"), suggestion.c.number <= bindparam("last"))
)
_NAMED = Prepared(select(run.c.name).where(run.c.sweep_id == bindparam("which"), run.c.idx == bindparam("number")))
_NAMED_BY_ID = Prepared(select(run.c.name).where(run.c.id == bindparam("which")))
# What the count of a metric's values is kept under (`Stopper.track`).
_BY_COUNT = "count"


def of_draw(connection: Connection, which: Sweep) -> Ready | None:
    """What is ready for the sweep's next draw."""
    row = _FIRST.first(connection, which=which.id, start=which.next_number)
    return Ready(*row) if row is not None and row[0] == which.next_number else None


def in_order(connection: Connection, which: Sweep) -> list[Ready]:
    """What is ready from the sweep's next draw on, without a gap."""
    rows = _ALL.all(connection, which=which.id, start=which.next_number)
    return [Ready(*row) for at, row in enumerate(rows) if row[0] == which.next_number + at]


def keep(connection: Connection, sweep_id: int, ready: Ready, made: float) -> None:
    """Keeps params for a draw, in place of those that were there."""
    values = {name: getattr(ready, name) for name in Ready.__struct_fields__}
    row = {"sweep_id": sweep_id, "made": made, **values}
    dialects.upsert(connection, suggestion, ["sweep_id", "number"], [row])


def drop(connection: Connection, sweep_id: int, last: int) -> None:
    """Drops what was ready for draws up to ``last``."""
    _DROP.execute(connection, which=sweep_id, last=last)


def open_sweeps(connection: Connection) -> list[tuple[int, str]]:
    """(id, method) of the sweeps that may hand out runs, oldest first."""
    counters.write_all(connection)
    states = sorted(OPEN - {"paused"})
    query = select(sweep.c.id, sweep.c.method).where(sweep.c.state.in_(states)).order_by(sweep.c.id)
    return [(row.id, row.method) for row in connection.execute(query)]


def observations(connection: Connection, which: Sweep) -> list[Observation]:
    """What the sweep's runs and its prior runs have shown. Runs that were not drawn have numbers below 0.

    A run that went through several attempts shows what its last one has.
    """
    rungs = _rungs(connection, which)
    columns = (run.c.id, run.c.idx, run.c.params, run.c.config, run.c.loss, run.c.state)
    rows = connection.execute(_with_summary(which, *columns).where(run.c.sweep_id == which.id).order_by(run.c.id))
    found = [
        Observation(
            number=-row.id if row.idx is None else row.idx,
            params=row.config if row.idx is None else row.params,
            loss=row.loss,
            state=row.state,
            length=(row.n or 0) + (row.last is not None),
            rungs=tuple(rungs.get(row.id, ())),
        )
        for row in rows
    ]
    return [*found, *_prior(connection, which)]


def _with_summary(which: Sweep, *columns: Any) -> Select[Any]:
    """Runs with what the values of the sweep's metric add up to: the closed ones, and the last if it is finite."""
    name = "" if which.metric is None else which.metric.name
    parts = (summary.c[name] for name in ("n", "min", "max", "last_finite", "last"))
    return (
        select(*columns, *parts)
        .select_from(run)
        .join(key, (key.c.project_id == run.c.project_id) & (key.c.name == name), isouter=True)
        .join(summary, (summary.c.run_id == run.c.id) & (summary.c.key_id == key.c.id), isouter=True)
    )


def _rungs(connection: Connection, which: Sweep) -> dict[int, list[tuple[int, float]]]:
    if which.metric is None:
        return {}
    query = (
        select(observation.c.run_id, observation.c.rung, observation.c.best)
        .where(observation.c.sweep_id == which.id, observation.c.track == _BY_COUNT)
        .order_by(observation.c.run_id, observation.c.rung)
    )
    found: dict[int, list[tuple[int, float]]] = {}
    for run_id, rung, best in connection.execute(query):
        found.setdefault(run_id, []).append((rung, which.metric.as_loss(best)))
    return found


def _prior(connection: Connection, which: Sweep) -> Iterator[Observation]:
    """Prior runs that have ended, by what they logged under the name of this sweep's metric."""
    if which.metric is None:
        return
    query = (
        _with_summary(which, run.c.id, run.c.state, tried.c.params)
        .join(tried, tried.c.run_uid == run.c.uid)
        .where(tried.c.sweep_id == which.id, tried.c.why == "prior", run.c.ended.is_not(None))
        .order_by(run.c.id)
    )
    for row in connection.execute(query):
        score = _score(which.metric, row)
        yield Observation(-row.id, row.params, None if score is None else which.metric.as_loss(score), row.state)


def _score(metric: Metric, row: Row[Any]) -> float | None:
    if metric.mode == "last":
        return metric.score([value for value in (row.last_finite, row.last) if value is not None])
    best = row.min if metric.goal == "minimize" else row.max
    return metric.score([value for value in (best, row.last) if value is not None])


def other_points(connection: Connection, which: Sweep) -> list[Mapping[str, Any]]:
    """Points that must not be handed out although none of the sweep's runs stands there."""
    query = select(tried.c.params).where(tried.c.sweep_id == which.id).order_by(tried.c.params_hash)
    return list(connection.execute(query).scalars())


def run_name(connection: Connection, sweep_id: int, number: int) -> str | None:
    """The name of the run that a search was told of by this number; None if it is gone."""
    if number < 0:
        found = _NAMED_BY_ID.value(connection, which=-number)
    else:
        found = _NAMED.value(connection, which=sweep_id, number=number)
    return None if found is None else str(found)
