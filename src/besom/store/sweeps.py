"""Rows of sweeps, and the answers made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    null,
    select,
    union_all,
    update,
)

from besom.engine import states
from besom.engine.records import Sweep
from besom.engine.states import RUN_STATES
from besom.errors import NotFound
from besom.metric import Metric
from besom.store import addresses, counters, prepared
from besom.store.prepared import Prepared
from besom.store.tables import agent, project, run, sweep, sweep_file, tried
from besom.sweep_config.config import Retry
from besom.wire.encoding import iso
from besom.wire.sweeps import MetricAnswer, RunCounts, SweepAnswer, SweepState

# Characters of a config's text that lists of sweeps carry.
MOST_LISTED_TEXT = 16 * 1024


def _query(*columns: Any) -> Select[Any]:
    return select(*columns, project.c.entity, project.c.name.label("project_name")).join(
        project, project.c.id == sweep.c.project_id
    )


def _record(row: Sequence[Any]) -> Sweep:
    values = dict(zip(_PLAIN, row, strict=False))
    metric, retry, notes, entity, project_name, *counts = row[len(_PLAIN) :]
    return Sweep(
        **values,
        metric=Metric(**metric) if metric else None,
        retry=Retry(**retry),
        notes=tuple(notes),
        entity=entity,
        project=project_name,
        counts=dict(zip(RUN_STATES, counts, strict=True)),
    )


_PLAIN = [name for name in Sweep.__struct_fields__ if name in sweep.c and name not in ("metric", "retry", "notes")]
_RECORD = (
    select(
        *(sweep.c[name] for name in (*_PLAIN, "metric", "retry", "notes")),
        project.c.entity,
        project.c.name.label("project_name"),
        *(sweep.c[name] for name in counters.COUNTS),
    )
    .join(project, project.c.id == sweep.c.project_id)
)  # fmt: skip
_BY_ID = Prepared(_RECORD.where(sweep.c.id == bindparam("which")))
_IS_TRIED = Prepared(
    union_all(
        *(
            select(literal(1)).where(table.c.sweep_id == bindparam("which"), table.c.params_hash == bindparam("digest"))
            for table in (run, tried)
        )
    ).limit(1)
)
_BEST = Prepared(
    select(run.c.name, run.c.score)
    .where(
        run.c.sweep_id == bindparam("which"),
        run.c.rank_loss.is_not(None),
        run.c.state.in_([literal(state) for state in sorted(states.COUNTED)]),
    )
    .order_by(run.c.rank_loss, run.c.id)
    .limit(1)
)
_LAST_INFO = Prepared(
    select(run.c.search_info)
    .where(run.c.sweep_id == bindparam("which"), run.c.idx.is_not(None))
    .order_by(run.c.idx.desc())
    .limit(1)
)
_REACHED = Prepared(
    select(run.c.name, run.c.score)
    .where(run.c.sweep_id == bindparam("which"), run.c.rank_loss <= bindparam("target"))
    .order_by(run.c.rank_loss, run.c.id)
    .limit(1)
)


def by_id(connection: Connection, sweep_id: int) -> Sweep:
    """The sweep with this id."""
    found = counters.known(connection, sweep_id)
    if found is None:
        counters.write_all(connection)
        row = _BY_ID.first(connection, which=sweep_id)
        assert row is not None, f"sweep {sweep_id} is gone in the middle of a change"
        found = _record(row)
        counters.keep(connection, found)
    return found


def get(connection: Connection, uid: str, entity: str | None = None, project_name: str | None = None) -> Sweep:
    """The sweep that people call ``uid``; raises NotFound, also when entity or project are others."""
    counters.write_all(connection)
    row = connection.execute(_named(_RECORD, uid, entity, project_name)).first()
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


def is_there(connection: Connection, sweep_id: int) -> bool:
    """True unless the sweep was deleted."""
    return connection.execute(select(sweep.c.id).where(sweep.c.id == sweep_id)).first() is not None


def uid_taken(connection: Connection, uid: str) -> bool:
    """True if a sweep has this uid."""
    return connection.execute(select(sweep.c.id).where(sweep.c.uid == uid)).first() is not None


def add(
    connection: Connection, metric: Metric | None, retry: Retry, *, config: Any, config_text: str, **values: Any
) -> int:
    """Inserts a sweep in state pending; the values are the table's columns."""
    row = {
        "metric": None if metric is None else asdict(metric),
        "retry": asdict(retry),
        "state": "pending",
        **values,
    }
    sweep_id = int(connection.execute(insert(sweep).values(row).returning(sweep.c.id)).scalar_one())
    made_of = {"sweep_id": sweep_id, "config": config, "config_text": config_text}
    connection.execute(insert(sweep_file).values(made_of))
    return sweep_id


def change(connection: Connection, sweep_id: int, now: float, **values: Any) -> None:
    """Sets columns that people see: the version grows."""
    counters.forget(connection, sweep_id)
    connection.execute(
        update(sweep).where(sweep.c.id == sweep_id).values(version=sweep.c.version + 1, updated=now, **values)
    )


def set_counters(connection: Connection, sweep_id: int, **values: Any) -> None:
    """Sets columns that only hand-outs need."""
    counters.forget(connection, sweep_id)
    prepared.change(connection, sweep, sweep_id, values)


def add_to_counters(connection: Connection, sweep_id: int, changes: Mapping[str, int]) -> None:
    """Adds to ``n_<state>``, ``waiting``, ``created_runs`` and the like."""
    counters.add(connection, sweep_id, changes)


def move(connection: Connection, which: Sweep, to: SweepState, reason: str | None, now: float) -> None:
    """Brings a sweep into another state; raises InvalidMove for a move that the table does not have."""
    states.check_sweep_move(which.uid, which.state, to, reason or "")
    ended = now if to in ("finished", "canceled") else None
    change(connection, which.id, now, state=to, ended_reason=reason, ended=ended)


def config_of(connection: Connection, sweep_id: int) -> Any:
    """The config as it was written, for reading it again."""
    return connection.execute(select(sweep_file.c.config).where(sweep_file.c.sweep_id == sweep_id)).scalar_one()


def remove(connection: Connection, sweep_id: int) -> None:
    """Removes a sweep with its runs, agents and everything of theirs."""
    counters.forget(connection, sweep_id)
    connection.execute(delete(sweep).where(sweep.c.id == sweep_id))


def past_deadline(connection: Connection, now: float) -> list[int]:
    """Ids of running sweeps whose time cap has passed."""
    query = select(sweep.c.id).where(sweep.c.state == "running", sweep.c.deadline <= now)
    return list(connection.execute(query).scalars())


def is_tried(connection: Connection, sweep_id: int, params_hash: str) -> bool:
    """True if the sweep must not hand out the point again."""
    return _IS_TRIED.first(connection, which=sweep_id, digest=params_hash) is not None


def answer(
    connection: Connection, uid: str, entity: str | None = None, project_name: str | None = None, base_url: str = ""
) -> SweepAnswer:
    """A sweep as every door shows it; raises NotFound."""
    query = _whole(sweep_file.c.config, sweep_file.c.config_text)
    row = connection.execute(_named(query, uid, entity, project_name)).first()
    if row is None:
        raise NotFound(missing(uid, entity, project_name))
    return _answer(connection, row, base_url)


_AGENTS = (
    select(func.count())
    .where(agent.c.sweep_id == sweep.c.id, agent.c.state != "ended")
    .correlate(sweep)
    .scalar_subquery()
    .label("agents")
)
_SHORT = func.length(sweep_file.c.config_text) <= MOST_LISTED_TEXT
_LISTED = (
    case((_SHORT, sweep_file.c.config), else_=null()).label("config"),
    case((_SHORT, sweep_file.c.config_text), else_="").label("config_text"),
)


def _whole(*made_of: Any) -> Select[Any]:
    return _query(sweep, *made_of, _AGENTS).join(sweep_file, sweep_file.c.sweep_id == sweep.c.id)


def answers(
    connection: Connection, entity: str | None = None, project_name: str | None = None, base_url: str = ""
) -> list[SweepAnswer]:
    """All sweeps, newest first, of an entity or project where given. Long configs are left out (`SweepAnswer`)."""
    query = _whole(*_LISTED).order_by(sweep.c.id.desc())
    if entity is not None:
        query = query.where(project.c.entity == entity)
    if project_name is not None:
        query = query.where(project.c.name == project_name)
    return [_answer(connection, row, base_url) for row in connection.execute(query).all()]


def _answer(connection: Connection, row: Row[Any], base_url: str) -> SweepAnswer:
    best = best_run(connection, row.id)
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
        agents=row.agents,
        best_score=None if best is None else best[1],
        best_run=None if best is None else best[0],
        model_best=_model_best(connection, row.id, None if best is None else best[0]),
        notes=list(row.notes),
        created=iso(row.created) or "",
        updated=iso(row.updated) or "",
        ended=iso(row.ended),
        url=addresses.sweep_page(base_url, row.entity, row.project_name, row.uid),
        version=row.version,
    )


def _model_best(connection: Connection, sweep_id: int, observed: str | None) -> str | None:
    info = _LAST_INFO.value(connection, which=sweep_id)
    best: str | None = (info or {}).get("best")
    return None if best == observed else best


def metric_answer(metric: Mapping[str, Any] | None) -> MetricAnswer | None:
    """The metric of a sweep on the wire."""
    if metric is None:
        return None
    return MetricAnswer(name=metric["name"], goal=metric["goal"], mode=metric["mode"], target=metric["target"])


def best_run(connection: Connection, sweep_id: int) -> tuple[str, float] | None:
    """Name and score of the best run that counts."""
    row = _BEST.first(connection, which=sweep_id)
    return None if row is None else (row[0], row[1])


def reached_target(connection: Connection, which: Sweep) -> tuple[str, float] | None:
    """Name and score of a run (of those that count or may still count) that has met the sweep's target."""
    if which.metric is None or which.metric.target is None:
        return None
    row = _REACHED.first(connection, which=which.id, target=which.metric.as_loss(which.metric.target))
    return None if row is None else (row[0], row[1])


def as_text(config: Any) -> str:
    """A config that was given as an object, as text that reads the same."""
    return json.dumps(config, indent=2, ensure_ascii=False)
