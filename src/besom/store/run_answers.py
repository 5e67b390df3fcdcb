"""Runs as every door shows them: pages by a cursor, one run with its attempts, the best, finding by path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, Select, select

from besom.common.ids import split_path
from besom.engine.states import COUNTED
from besom.errors import NotFound, Refused, UsageError
from besom.store import addresses, curves, history, summaries, sweeps
from besom.store.tables import agent, attempt, project, run, sweep
from besom.wire.encoding import iso
from besom.wire.runs import AttemptAnswer, Curves, RunAnswer, RunsPage

Order = Literal["score", "created", "idx"]
_COLUMNS = {"score": run.c.rank_loss, "created": run.c.id, "idx": run.c.idx}


def _query() -> Select[Any]:
    return (
        select(run, project.c.entity, project.c.name.label("project_name"), sweep.c.uid.label("sweep_uid"))
        .join(project, project.c.id == run.c.project_id)
        .join(sweep, sweep.c.id == run.c.sweep_id, isouter=True)
    )


def page(
    connection: Connection,
    *,
    sweep_uid: str | None = None,
    entity: str | None = None,
    project_name: str | None = None,
    order: Order = "score",
    limit: int = 100,
    after: str | None = None,
    loose: bool = False,
    base_url: str = "",
) -> RunsPage:
    """Some runs of a sweep, project or entity in order: best first, as made, or by draw.

    ``loose``: only runs outside sweeps. ``after`` is the ``next`` of the page before. Runs without a place in the
    order (no score that counts, no draw) come last, as made. Raises NotFound for a sweep that does not exist,
    UsageError for another's cursor.
    """
    conditions: list[ColumnElement[bool]] = []
    if sweep_uid is not None:
        conditions.append(run.c.sweep_id == sweeps.get(connection, sweep_uid, entity, project_name).id)
    else:
        conditions += [project.c.entity == entity] if entity is not None else []
        conditions += [project.c.name == project_name] if project_name is not None else []
        conditions += [run.c.sweep_id.is_(None)] if loose else []
    rows = _ordered(connection, conditions, order, limit + 1, _cursor(after, order))
    shown = rows[:limit]
    following = f"{order}:{_place(shown[-1], order)}:{shown[-1].id}" if len(rows) > limit else None
    return RunsPage(runs=answers(connection, shown, base_url=base_url), next=following)


def _place(row: Row[Any], order: Order) -> str:
    value = {"score": row.rank_loss, "created": row.id, "idx": row.idx}[order]
    return "" if value is None else repr(value)


def _cursor(after: str | None, order: Order) -> tuple[float | int | None, int] | None:
    if order not in _COLUMNS:
        raise UsageError(f"runs have no order {order!r}: write score, created or idx")
    if after is None:
        return None
    try:
        kind, value, run_id = after.split(":")
        if kind != order:
            raise ValueError
        place = None if value == "" else float(value) if order == "score" else int(value)
        return place, int(run_id)
    except ValueError:
        raise UsageError(f"{after!r} is not where a page of this order ends: take `next` of the page before") from None


def _ordered(
    connection: Connection,
    conditions: Sequence[ColumnElement[bool]],
    order: Order,
    limit: int,
    cursor: tuple[float | int | None, int] | None,
) -> list[Row[Any]]:
    """First the runs with a place, then those without: two walks along one index, never a sort of all runs."""
    column = _COLUMNS[order]
    rows: list[Row[Any]] = []
    if cursor is None or cursor[0] is not None:
        placed = _query().where(*conditions, column.is_not(None)).order_by(column, run.c.id).limit(limit)
        if cursor is not None:
            place, run_id = cursor
            placed = placed.where(column >= place, (column > place) | (run.c.id > run_id))
        rows += connection.execute(placed)
    if len(rows) < limit:
        rest = _query().where(*conditions, column.is_(None)).order_by(run.c.id).limit(limit - len(rows))
        if cursor is not None and cursor[0] is None:
            rest = rest.where(run.c.id > cursor[1])
        rows += connection.execute(rest)
    return rows


def curves_of(
    connection: Connection,
    sweep_uid: str,
    metric: str | None,
    px: int,
    names: Sequence[str] | None,
    limit: int,
    from_step: int | None = None,
    to_step: int | None = None,
) -> Curves:
    """The curves of a sweep's runs: of those named, else of the best ``limit``; by default of the sweep's metric.

    Raises NotFound for a sweep or run that does not exist, UsageError where no metric is meant.
    """
    which = sweeps.get(connection, sweep_uid)
    name = metric or (None if which.metric is None else which.metric.name)
    if name is None:
        raise UsageError(f"sweep {sweep_uid} has no metric: say which one with metric=")
    query = select(run.c.id, run.c.name, run.c.attempt).where(run.c.sweep_id == which.id)
    if names is None:
        query = query.order_by(run.c.rank_loss.is_(None), run.c.rank_loss, run.c.id).limit(limit)
    else:
        query = query.where(run.c.name.in_(names)).order_by(run.c.id)
    found = [curves.CurveOf(*row) for row in connection.execute(query)]
    if names is not None and len(found) < len(set(names)):
        missing = next(name for name in names if name not in {one.name for one in found})
        raise NotFound(f"there is no run {missing} in sweep {sweep_uid}: `besom show {sweep_uid}` lists its runs")
    return curves.read(connection, which.project_id, name, found, px, from_step, to_step)


def get(connection: Connection, uid: str, base_url: str = "", with_history: bool = False) -> RunAnswer:
    """One run with its attempts; raises NotFound."""
    row = connection.execute(_query().where(run.c.uid == uid)).first()
    if row is None:
        raise NotFound(f"there is no run {uid}: it was deleted, or belongs to another server")
    return _whole(connection, row, base_url, with_history)


def _whole(connection: Connection, row: Row[Any], base_url: str, with_history: bool) -> RunAnswer:
    (answer,) = answers(connection, [row], with_history, base_url)
    answer.attempts = attempts(connection, row.id)
    return answer


def best(connection: Connection, sweep_uid: str, base_url: str = "") -> RunAnswer | None:
    """The best run of a sweep that counts, with its attempts; None before there is one. Raises NotFound."""
    which = sweeps.get(connection, sweep_uid)
    query = (
        _query()
        .where(run.c.sweep_id == which.id, run.c.rank_loss.is_not(None), run.c.state.in_(COUNTED))
        .order_by(run.c.rank_loss, run.c.id)
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else _whole(connection, row, base_url, False)


def find(connection: Connection, path: str, base_url: str = "") -> RunAnswer:
    """The run at ``[ENTITY/][PROJECT/]NAME`` (or with that uid), with its attempts.

    Raises NotFound, Refused when several projects have one of that name, UsageError for what is no path.
    """
    entity, project_name, name = split_path(path, "run")
    query = _query().where((run.c.name == name) | (run.c.uid == name))
    if entity is not None:
        query = query.where(project.c.entity == entity)
    if project_name is not None:
        query = query.where(project.c.name == project_name)
    rows = connection.execute(query.limit(4)).all()
    if not rows:
        raise NotFound(f"there is no run {path}: `besom ls SWEEP` lists the runs of a sweep")
    if len(rows) > 1:
        paths = ", ".join(f"{row.entity}/{row.project_name}/{row.name}" for row in rows[:3])
        raise Refused(f"several runs are called {name}: say which one, such as {paths}")
    return _whole(connection, rows[0], base_url, False)


def attempts(connection: Connection, run_id: int) -> list[AttemptAnswer]:
    """The attempts of a run, first to last."""
    query = (
        select(attempt, agent.c.uid.label("agent_uid"))
        .join(agent, agent.c.id == attempt.c.agent_id, isouter=True)
        .where(attempt.c.run_id == run_id)
        .order_by(attempt.c.number)
    )
    return [
        AttemptAnswer(
            number=row.number,
            state=row.state,
            agent=row.agent_uid,
            host=row.host,
            started=iso(row.started),
            ended=iso(row.ended),
            exit_code=row.exit_code,
            signal=row.signal,
            error=row.error,
        )
        for row in connection.execute(query)
    ]


def answers(
    connection: Connection, rows: Sequence[Row[Any]], with_history: bool = False, base_url: str = ""
) -> list[RunAnswer]:
    """Rows of runs as answers."""
    shown = summaries.of_runs(connection, [row.id for row in rows])
    return [
        _answer(
            row,
            shown[row.id],
            history.all_rows(connection, row.id, row.attempt) if with_history else None,
            base_url,
        )
        for row in rows
    ]


def _answer(row: Row[Any], summary: dict[str, Any], merged: list[dict[str, Any]] | None, base_url: str) -> RunAnswer:
    runtime = row.ended - row.started if row.ended is not None and row.started is not None else None
    return RunAnswer(
        id=row.name,
        uid=row.uid,
        name=row.display_name,
        entity=row.entity,
        project=row.project_name,
        sweep=row.sweep_uid,
        state=row.state,
        attempt=row.attempt,
        idx=row.idx,
        params=row.params,
        config=row.config,
        summary=summary,
        search_info=row.search_info,
        score=row.score,
        tags=row.tags,
        group=row.group_name,
        job_type=row.job_type,
        notes=row.notes,
        host=row.host,
        created=iso(row.created) or "",
        started=iso(row.started),
        ended=iso(row.ended),
        runtime_s=runtime,
        stop_reason=row.stop_reason,
        error=row.error,
        warnings=row.warnings,
        url=addresses.run_page(base_url, row.entity, row.project_name, row.name),
        history=merged,
    )
