"""Rows of runs and their attempts. Every move of a run goes through `move`, which keeps the sweep's counters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, delete, func, insert, select, update

from besom.common.ids import new_id
from besom.engine.records import Attempt, Run
from besom.engine.states import RANKED, check_run_move
from besom.errors import NotFound
from besom.store import dialects, sweeps
from besom.store.tables import attempt, claim, observation, run, summary, sweep, token, tried
from besom.wire.runs import RunState

_RUN = [run.c[name] for name in Run.__dataclass_fields__]
_ATTEMPT = [attempt.c[name] for name in Attempt.__dataclass_fields__]
# Every hand-out and every append asks these: built once.
_BY_UID = select(*_RUN).where(run.c.uid == bindparam("which"))
_BY_ID = select(*_RUN).where(run.c.id == bindparam("which"))
_ATTEMPT_OF = select(*_ATTEMPT).where(attempt.c.run_id == bindparam("which"), attempt.c.number == bindparam("count"))


def _record(row: Row[Any]) -> Run:
    values = dict(row._mapping)
    values["by_sweep"] = bool(values["by_sweep"])
    values["warnings"] = tuple(values["warnings"])
    return Run(**values)


def _attempt(row: Row[Any]) -> Attempt:
    values = dict(row._mapping)
    values["preempting"] = bool(values["preempting"])
    values["has_rows"] = bool(values["has_rows"])
    return Attempt(**values)


def find(connection: Connection, uid: str) -> Run | None:
    """The run with this uid, None if there is none."""
    row = connection.execute(_BY_UID, {"which": uid}).first()
    return None if row is None else _record(row)


def get(connection: Connection, uid: str) -> Run:
    """The run with this uid; raises NotFound."""
    found = find(connection, uid)
    if found is None:
        raise NotFound(f"there is no run {uid}: it was deleted, or belongs to another server")
    return found


def by_id(connection: Connection, run_id: int) -> Run:
    """The run with this id."""
    return _record(connection.execute(_BY_ID, {"which": run_id}).one())


def by_name(connection: Connection, project_id: int, name: str) -> Run | None:
    """The run that is called so in its project."""
    row = connection.execute(select(*_RUN).where(run.c.project_id == project_id, run.c.name == name)).first()
    return None if row is None else _record(row)


def of_sweep(connection: Connection, sweep_id: int, wanted: Sequence[RunState]) -> list[Run]:
    """The runs of a sweep in these states, oldest first."""
    query = select(*_RUN).where(run.c.sweep_id == sweep_id, run.c.state.in_(wanted)).order_by(run.c.id)
    return [_record(row) for row in connection.execute(query)]


def longest_waiting(connection: Connection, sweep_id: int) -> Run | None:
    """The run that has waited longest to be handed out again."""
    query = (
        select(*_RUN)
        .where(run.c.sweep_id == sweep_id, run.c.waiting_since.is_not(None))
        .order_by(run.c.waiting_since, run.c.id)
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else _record(row)


def params_under_way(connection: Connection, sweep_id: int) -> list[Mapping[str, Any]]:
    """The params of runs that train or wait."""
    under_way = ("running", "queued", "preempted")
    query = select(run.c.params).where(run.c.sweep_id == sweep_id, run.c.state.in_(under_way)).order_by(run.c.id)
    return list(connection.execute(query).scalars())


def fresh_name(connection: Connection, project_id: int) -> str:
    """A name that no run of the project has."""
    while True:
        name = new_id()
        if by_name(connection, project_id, name) is None:
            return name


def add(connection: Connection, *, now: float, **values: Any) -> Run:
    """Inserts a run; the values are the table's columns."""
    row = {"tags": [], "warnings": [], "config": {}, "params": {}, "attempt": 0, "created": now, **values}
    run_id = connection.execute(insert(run).values(row).returning(run.c.id)).scalar_one()
    if row.get("sweep_id") is not None:
        sweeps.add_to_counters(connection, row["sweep_id"], {f"n_{row['state']}": 1})
    return by_id(connection, run_id)


def change(connection: Connection, run_id: int, **values: Any) -> None:
    """Sets columns other than the state."""
    if values:
        connection.execute(update(run).where(run.c.id == run_id).values(**values))


def set_score(connection: Connection, run_id: int, score: float | None, loss: float | None) -> None:
    """Sets the score; it ranks only while the run's state does."""
    rank_loss = None if loss is None else case((run.c.state.in_(RANKED), loss), else_=None)
    connection.execute(update(run).where(run.c.id == run_id).values(score=score, loss=loss, rank_loss=rank_loss))


def move(
    connection: Connection, which: Run, to: RunState, why: str, *, waiting_since: float | None = None, **values: Any
) -> Run:
    """Brings a run into another state; raises InvalidMove for a move that the table does not have."""
    check_run_move(which.name, which.attempt, which.state, to, why)
    rank_loss = run.c.loss if to in RANKED else None
    connection.execute(
        update(run)
        .where(run.c.id == which.id)
        .values({"state": to, "waiting_since": waiting_since, "rank_loss": rank_loss, **values})
    )
    if which.sweep_id is not None:
        changes = {f"n_{which.state}": -1, f"n_{to}": 1} if to != which.state else {}
        changes["waiting"] = (waiting_since is not None) - (which.waiting_since is not None)
        sweeps.add_to_counters(connection, which.sweep_id, changes)
    return replace(which, state=to, waiting_since=waiting_since)


def remove(connection: Connection, which: Run) -> None:
    """Removes a run; its point stays tried."""
    if which.sweep_id is not None:
        if which.params_hash is not None:
            point = {
                "sweep_id": which.sweep_id,
                "params_hash": which.params_hash,
                "why": "removed",
                "run_uid": which.uid,
                "params": which.params,
            }
            add_tried(connection, [point])
        waiting = -1 if which.waiting_since is not None else 0
        sweeps.add_to_counters(connection, which.sweep_id, {f"n_{which.state}": -1, "waiting": waiting})
    connection.execute(delete(run).where(run.c.id == which.id))


def add_tried(connection: Connection, points: Sequence[Mapping[str, Any]]) -> None:
    """Remembers points that must not be handed out."""
    dialects.insert_or_leave(connection, tried, ["sweep_id", "params_hash"], points)


def add_attempt(connection: Connection, which: Run, **values: Any) -> int:
    """Inserts the attempt that ``which.attempt`` counts, and clears what earlier attempts have shown."""
    row = {"run_id": which.id, "number": which.attempt, "state": "running", "summary_set": {}, "defines": {}, **values}
    if which.attempt > 1:
        connection.execute(delete(summary).where(summary.c.run_id == which.id))
        connection.execute(delete(observation).where(observation.c.run_id == which.id))
    return int(connection.execute(insert(attempt).values(row).returning(attempt.c.id)).scalar_one())


def find_attempt(connection: Connection, run_id: int, number: int) -> Attempt | None:
    """One attempt of a run, None if there is none."""
    row = connection.execute(_ATTEMPT_OF, {"which": run_id, "count": number}).first()
    return None if row is None else _attempt(row)


def get_attempt(connection: Connection, which: Run, number: int) -> Attempt:
    """One attempt of a run; raises NotFound."""
    found = find_attempt(connection, which.id, number)
    if found is None:
        raise NotFound(f"run {which.name} has no attempt {number}: its last is {which.attempt}")
    return found


def change_attempt(connection: Connection, attempt_id: int, **values: Any) -> None:
    """Sets columns of an attempt."""
    connection.execute(update(attempt).where(attempt.c.id == attempt_id).values(**values))


def ended_attempts(connection: Connection, run_id: int, besides: int) -> dict[str, int]:
    """How many other attempts of the run have ended in each state."""
    query = (
        select(attempt.c.state, func.count())
        .where(attempt.c.run_id == run_id, attempt.c.id != besides)
        .group_by(attempt.c.state)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def late_attempts(connection: Connection, now: float, limit: int) -> list[tuple[int, int]]:
    """(run id, attempt number) of attempts whose lease has run out, oldest first."""
    query = (
        select(attempt.c.run_id, attempt.c.number)
        .where(attempt.c.state == "running", attempt.c.lease_until < now)
        .order_by(attempt.c.lease_until)
        .limit(limit)
    )
    return [(row.run_id, row.number) for row in connection.execute(query)]


def renew_all(connection: Connection, until: float) -> None:
    """Gives every living attempt the same new lease."""
    connection.execute(update(attempt).where(attempt.c.state == "running").values(lease_until=until))


def claimed(connection: Connection, request_id: str) -> tuple[Run, Attempt] | None:
    """What an earlier ask with this id was given."""
    query = (
        select(attempt.c.run_id, attempt.c.number)
        .join(claim, claim.c.attempt_id == attempt.c.id)
        .where(claim.c.request_id == request_id)
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    which = by_id(connection, row.run_id)
    return which, get_attempt(connection, which, row.number)


def add_claim(connection: Connection, request_id: str, attempt_id: int, now: float) -> None:
    """Remembers what an ask was given."""
    connection.execute(insert(claim).values(request_id=request_id, attempt_id=attempt_id, created=now))


def drop_tokens(connection: Connection, run_id: int) -> None:
    """Makes the tokens of a run worthless."""
    connection.execute(delete(token).where(token.c.run_id == run_id))


def owner(connection: Connection, which: Run) -> str | None:
    """The uid of the run's sweep."""
    if which.sweep_id is None:
        return None
    return str(connection.execute(select(sweep.c.uid).where(sweep.c.id == which.sweep_id)).scalar_one())


def config_of(connection: Connection, run_id: int) -> dict[str, Any]:
    """Everything that a run was configured with."""
    config: dict[str, Any] = connection.execute(select(run.c.config).where(run.c.id == run_id)).scalar_one()
    return config


def reads_of(connection: Connection, run_id: int) -> list[str] | None:
    """The swept names that the script is known to have read; None if it never told."""
    reads: list[str] | None = connection.execute(select(run.c.reads).where(run.c.id == run_id)).scalar_one()
    return reads


def told_progress(connection: Connection, run_id: int, now: float, every_s: float) -> bool:
    """True (and remembered) if the run's progress was not told within ``every_s`` seconds."""
    due = run.c.progress_told.is_(None) | (run.c.progress_told <= now - every_s) | (run.c.progress_told > now)
    changed = connection.execute(update(run).where(run.c.id == run_id, due).values(progress_told=now))
    return changed.rowcount > 0
