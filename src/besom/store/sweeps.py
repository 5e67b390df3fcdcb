"""Rows of sweeps, and the answers made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, select, update

from besom.engine import states
from besom.engine.records import Sweep
from besom.engine.states import RUN_STATES
from besom.errors import NotFound
from besom.metric import Metric
from besom.store import addresses
from besom.store.tables import agent, project, run, sweep, tried
from besom.sweep_config.config import Retry
from besom.wire.encoding import iso
from besom.wire.sweeps import MetricAnswer, RunCounts, SweepAnswer, SweepState

# The whole config is large and seldom wanted.
_RECORD = [column for column in sweep.c if column.name not in ("config", "config_text", "description")]


def _query(*columns: Any) -> Select[Any]:
    return select(*columns, project.c.entity, project.c.name.label("project_name")).join(
        project, project.c.id == sweep.c.project_id
    )


def _record(row: Row[Any]) -> Sweep:
    return Sweep(
        id=row.id,
        uid=row.uid,
        project_id=row.project_id,
        entity=row.entity,
        project=row.project_name,
        name=row.name,
        state=row.state,
        ended_reason=row.ended_reason,
        method=row.method,
        metric=Metric(**row.metric) if row.metric else None,
        retry=Retry(**row.retry),
        run_cap=row.run_cap,
        time_cap_s=row.time_cap_s,
        seed=row.seed,
        size=row.size,
        next_number=row.next_number,
        created_runs=row.created_runs,
        waiting=row.waiting,
        first_started=row.first_started,
        notes=tuple(row.notes),
        counts={state: getattr(row, f"n_{state}") for state in RUN_STATES},
    )


# Every hand-out and every append asks this: built once.
_BY_ID = _query(*_RECORD).where(sweep.c.id == bindparam("which"))


def by_id(connection: Connection, sweep_id: int) -> Sweep:
    """The sweep with this id."""
    return _record(connection.execute(_BY_ID, {"which": sweep_id}).one())


def get(connection: Connection, uid: str, entity: str | None = None, project_name: str | None = None) -> Sweep:
    """The sweep that people call ``uid``; raises NotFound, also when entity or project are others."""
    query = _named(_query(*_RECORD), uid, entity, project_name)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(missing(uid, entity, project_name))
    return _record(row)


def _named(query: Select[Any], uid: str, entity: str | None, project_name: str | None) -> Select[Any]:
    query = query.where(sweep.c.uid == uid)
    if entity is not None:
        query = query.where(project.c.entity == entity)
    return query if project_name is None else query.where(project.c.name == project_name)


def missing(uid: str, entity: str | None = None, project_name: str | None = None) -> str:
    """The sentence that there is no such sweep."""
    path = "/".join(part for part in (entity, project_name, uid) if part)
    return f"there is no sweep {path}: `besom ls` lists the sweeps of this server"


def by_request(connection: Connection, request_id: str) -> str | None:
    """The uid of the sweep that this request has made already."""
    return connection.execute(select(sweep.c.uid).where(sweep.c.request_id == request_id)).scalar()


def uid_taken(connection: Connection, uid: str) -> bool:
    """True if a sweep has this uid."""
    return connection.execute(select(sweep.c.id).where(sweep.c.uid == uid)).first() is not None


def add(connection: Connection, metric: Metric | None, retry: Retry, **values: Any) -> int:
    """Inserts a sweep in state pending; the values are the table's columns."""
    row = {
        "metric": None if metric is None else asdict(metric),
        "retry": asdict(retry),
        "state": "pending",
        **values,
    }
    return int(connection.execute(insert(sweep).values(row).returning(sweep.c.id)).scalar_one())


def change(connection: Connection, sweep_id: int, now: float, **values: Any) -> None:
    """Sets columns that people see: the version grows."""
    connection.execute(
        update(sweep).where(sweep.c.id == sweep_id).values(version=sweep.c.version + 1, updated=now, **values)
    )


def set_counters(connection: Connection, sweep_id: int, **values: Any) -> None:
    """Sets columns that only hand-outs need."""
    connection.execute(update(sweep).where(sweep.c.id == sweep_id).values(**values))


def add_to_counters(connection: Connection, sweep_id: int, changes: Mapping[str, int]) -> None:
    """Adds to ``n_<state>``, ``waiting`` or ``created_runs``."""
    values = {name: sweep.c[name] + by for name, by in changes.items() if by}
    if values:
        connection.execute(update(sweep).where(sweep.c.id == sweep_id).values(values))


def move(connection: Connection, which: Sweep, to: SweepState, reason: str | None, now: float) -> None:
    """Brings a sweep into another state; raises InvalidMove for a move that the table does not have."""
    states.check_sweep_move(which.uid, which.state, to, reason or "")
    ended = now if to in ("finished", "canceled") else None
    change(connection, which.id, now, state=to, ended_reason=reason, ended=ended)


def config_of(connection: Connection, sweep_id: int) -> Any:
    """The config as it was written, for reading it again."""
    return connection.execute(select(sweep.c.config).where(sweep.c.id == sweep_id)).scalar_one()


def remove(connection: Connection, sweep_id: int) -> None:
    """Removes a sweep with its runs, agents and everything of theirs."""
    connection.execute(delete(sweep).where(sweep.c.id == sweep_id))


def past_deadline(connection: Connection, now: float) -> list[int]:
    """Ids of running sweeps whose time cap has passed."""
    query = select(sweep.c.id).where(sweep.c.state == "running", sweep.c.deadline <= now)
    return list(connection.execute(query).scalars())


def is_tried(connection: Connection, sweep_id: int, params_hash: str) -> bool:
    """True if the sweep must not hand out the point again."""
    for table in (run, tried):
        query = select(table.c.sweep_id).where(table.c.sweep_id == sweep_id, table.c.params_hash == params_hash)
        if connection.execute(query).first() is not None:
            return True
    return False


def answer(
    connection: Connection, uid: str, entity: str | None = None, project_name: str | None = None, base_url: str = ""
) -> SweepAnswer:
    """A sweep as every door shows it; raises NotFound."""
    row = connection.execute(_named(_query(sweep), uid, entity, project_name)).first()
    if row is None:
        raise NotFound(missing(uid, entity, project_name))
    return _answer(connection, row, base_url)


def answers(
    connection: Connection, entity: str | None = None, project_name: str | None = None, base_url: str = ""
) -> list[SweepAnswer]:
    """All sweeps, newest first, of an entity or project where given."""
    query = _query(sweep).order_by(sweep.c.id.desc())
    if entity is not None:
        query = query.where(project.c.entity == entity)
    if project_name is not None:
        query = query.where(project.c.name == project_name)
    return [_answer(connection, row, base_url) for row in connection.execute(query).all()]


def _answer(connection: Connection, row: Row[Any], base_url: str) -> SweepAnswer:
    best = best_run(connection, row.id)
    living = select(func.count()).select_from(agent).where(agent.c.sweep_id == row.id, agent.c.state != "ended")
    return SweepAnswer(
        id=row.uid,
        entity=row.entity,
        project=row.project_name,
        name=row.name,
        description=row.description,
        state=row.state,
        ended_reason=row.ended_reason,
        method=row.method,
        metric=metric_answer(row.metric),
        config=row.config,
        config_text=row.config_text,
        program=row.program,
        run_cap=row.run_cap,
        grid_size=row.size,
        runs=RunCounts(**{state: getattr(row, f"n_{state}") for state in RUN_STATES}),
        agents=connection.execute(living).scalar_one(),
        best_score=None if best is None else best[1],
        best_run=None if best is None else best[0],
        notes=list(row.notes),
        created=iso(row.created) or "",
        updated=iso(row.updated) or "",
        ended=iso(row.ended),
        url=addresses.sweep_page(base_url, row.entity, row.project_name, row.uid),
        version=row.version,
    )


def metric_answer(metric: Mapping[str, Any] | None) -> MetricAnswer | None:
    """The metric of a sweep on the wire."""
    if metric is None:
        return None
    return MetricAnswer(name=metric["name"], goal=metric["goal"], mode=metric["mode"], target=metric["target"])


def best_run(connection: Connection, sweep_id: int) -> tuple[str, float] | None:
    """Name and score of the best run that counts."""
    query = (
        select(run.c.name, run.c.score)
        .where(run.c.sweep_id == sweep_id, run.c.rank_loss.is_not(None), run.c.state.in_(states.COUNTED))
        .order_by(run.c.rank_loss, run.c.id)
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else (row.name, row.score)


def reached_target(connection: Connection, which: Sweep) -> tuple[str, float] | None:
    """Name and score of a run (of those that count or may still count) that has met the sweep's target."""
    if which.metric is None or which.metric.target is None:
        return None
    query = (
        select(run.c.name, run.c.score)
        .where(run.c.sweep_id == which.id, run.c.rank_loss <= which.metric.as_loss(which.metric.target))
        .order_by(run.c.rank_loss, run.c.id)
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else (row.name, row.score)


def as_text(config: Any) -> str:
    """A config that was given as an object, as text that reads the same."""
    return json.dumps(config, indent=2, ensure_ascii=False)
