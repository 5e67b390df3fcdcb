"""Rows of runs and their attempts. Every move of a run goes through `move`, which keeps the sweep's counters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, case, delete, func, literal, null, select, update

from besom.common.ids import new_id
from besom.engine.records import Attempt, Run
from besom.engine.states import RANKED, check_run_move
from besom.errors import NotFound
from besom.store import dialects, prepared, sweeps
from besom.store.prepared import Prepared
from besom.store.tables import attempt, observation, run, storable, summary, sweep, tried
from besom.wire.runs import RunState

_RUN = [run.c[name] for name in Run.__struct_fields__]
_ATTEMPT = [attempt.c[name] for name in Attempt.__struct_fields__]
_BY_UID = Prepared(select(*_RUN).where(run.c.uid == bindparam("which")))
_BY_ID = Prepared(select(*_RUN).where(run.c.id == bindparam("which")))
_ATTEMPT_OF = Prepared(
    select(*_ATTEMPT).where(attempt.c.run_id == bindparam("which"), attempt.c.number == bindparam("count"))
)
_BOTH = Prepared(
    select(*_RUN, *_ATTEMPT)
    .join(attempt, (attempt.c.run_id == run.c.id) & (attempt.c.number == bindparam("count")), isouter=True)
    .where(run.c.uid == bindparam("which"))
)
_LONGEST_WAITING = Prepared(
    select(*_RUN)
    .where(run.c.sweep_id == bindparam("which"), run.c.waiting_since.is_not(None))
    .order_by(run.c.waiting_since, run.c.id)
    .limit(1)
)
_CLAIMED = Prepared(select(*_ATTEMPT).where(attempt.c.request_id == bindparam("which")))
_OWNER = Prepared(select(sweep.c.uid).where(sweep.c.id == bindparam("which")))
_CONFIG = Prepared(select(run.c.config).where(run.c.id == bindparam("which")))
_NAMED = Prepared(select(*_RUN).where(run.c.project_id == bindparam("project"), run.c.name == bindparam("called")))
_TELL_PROGRESS = Prepared(
    update(run)
    .where(
        run.c.id == bindparam("which"),
        run.c.progress_told.is_(None)
        | (run.c.progress_told <= bindparam("before"))
        | (run.c.progress_told > bindparam("now")),
    )
    .values(progress_told=bindparam("now"))
    .returning(run.c.id)
)
_loss = bindparam("turned", type_=run.c.loss.type)
_SET_SCORE = Prepared(
    update(run)
    .where(run.c.id == bindparam("which"))
    .values(rank_loss=case((run.c.state.in_([literal(state) for state in sorted(RANKED)]), _loss), else_=None)),
    ["score", "loss"],
)


def _record(row: Sequence[Any]) -> Run:
    values = dict(zip(Run.__struct_fields__, row, strict=True))
    values["by_sweep"] = bool(values["by_sweep"])
    values["warnings"] = tuple(values["warnings"])
    return Run(**values)


def _attempt(row: Sequence[Any]) -> Attempt:
    values = dict(zip(Attempt.__struct_fields__, row, strict=True))
    values["preempting"] = bool(values["preempting"])
    values["has_rows"] = bool(values["has_rows"])
    return Attempt(**values)


def find(connection: Connection, uid: str) -> Run | None:
    """The run with this uid, None if there is none."""
    row = _BY_UID.first(connection, which=uid)
    return None if row is None else _record(row)


def get(connection: Connection, uid: str) -> Run:
    """The run with this uid; raises NotFound."""
    found = find(connection, uid)
    if found is None:
        raise NotFound(_gone(uid))
    return found


def _gone(uid: str) -> str:
    return f"there is no run {uid}: it was deleted, or belongs to another server"


def by_id(connection: Connection, run_id: int) -> Run:
    """The run with this id."""
    row = _BY_ID.first(connection, which=run_id)
    assert row is not None, f"run {run_id} is gone in the middle of a change"
    return _record(row)


def by_name(connection: Connection, project_id: int, name: str) -> Run | None:
    """The run that is called so in its project."""
    row = _NAMED.first(connection, project=project_id, called=name)
    return None if row is None else _record(row)


def of_sweep(connection: Connection, sweep_id: int, wanted: Sequence[RunState]) -> list[Run]:
    """The runs of a sweep in these states, oldest first."""
    query = select(*_RUN).where(run.c.sweep_id == sweep_id, run.c.state.in_(wanted)).order_by(run.c.id)
    return [_record(row) for row in connection.execute(query)]


def longest_waiting(connection: Connection, sweep_id: int) -> Run | None:
    """The run that has waited longest to be handed out again."""
    row = _LONGEST_WAITING.first(connection, which=sweep_id)
    return None if row is None else _record(row)


def params_under_way(connection: Connection, sweep_id: int) -> list[Mapping[str, Any]]:
    """The params of runs that train or wait."""
    under_way = ("running", "queued", "preempted")
    query = select(run.c.params).where(run.c.sweep_id == sweep_id, run.c.state.in_(under_way)).order_by(run.c.id)
    return list(connection.execute(query).scalars())


def seconds_running(connection: Connection, sweep_id: int, now: float) -> float:
    """How long the runs of a sweep that train now have done so, in all."""
    query = select(func.count(), func.sum(run.c.started)).where(run.c.sweep_id == sweep_id, run.c.state == "running")
    count, started = connection.execute(query).one()
    return float(count * now - (started or 0.0))


def add(
    connection: Connection, *, now: float, name: str | None, counted: Mapping[str, int] | None = None, **values: Any
) -> Run:
    """Inserts a run; the values are the table's columns. ``counted`` is what its sweep counts besides its state.

    ``name`` None gives it one that no run of the project has.
    """
    empty = {"by_sweep": 0, "tags": [], "warnings": [], "config": {}, "params": {}, "attempt": 0, "created": now}
    row = {**empty, **values}
    if name is None:
        row["id"] = _add_under_a_fresh_name(connection, row)
    else:
        row = {"display_name": name, **row, "name": name}
        row["id"] = prepared.insert_one(connection, run, row)
    if row.get("sweep_id") is not None:
        sweeps.add_to_counters(connection, row["sweep_id"], {f"n_{row['state']}": 1, **(counted or {})})
    return _record([row.get(name) for name in Run.__struct_fields__])


def _add_under_a_fresh_name(connection: Connection, row: dict[str, Any]) -> int:
    while True:
        name = new_id()
        named = {"display_name": name, **row, "name": name}
        run_id = dialects.add_unless_there(connection, run, ["project_id", "name"], named)
        if run_id is not None:
            row |= named
            return run_id


def change(connection: Connection, run_id: int, **values: Any) -> None:
    """Sets columns other than the state."""
    prepared.change(connection, run, run_id, values)


def set_warnings(connection: Connection, which: Run, sentences: Iterable[str]) -> Run:
    """Sets what looks wrong with a run, each sentence once; returns the run with them as they are kept."""
    warnings = tuple(dict.fromkeys(map(storable, sentences)))
    if warnings != which.warnings:
        change(connection, which.id, warnings=list(warnings))
    return replace(which, warnings=warnings)


def set_score(connection: Connection, run_id: int, score: float | None, loss: float | None) -> None:
    """Sets the score; it ranks only while the run's state does."""
    _SET_SCORE.execute(connection, which=run_id, score=score, loss=loss, turned=loss)


def move(
    connection: Connection, which: Run, to: RunState, why: str, *, waiting_since: float | None = None, **values: Any
) -> Run:
    """Brings a run into another state; raises InvalidMove for a move that the table does not have."""
    check_run_move(which.name, which.attempt, which.state, to, why)
    # What stays as it is is not written: each column of an index that is written costs as much as the rest of the row.
    if waiting_since != which.waiting_since:
        values["waiting_since"] = waiting_since
    ranks = to in RANKED and "loss" not in values
    statement = _moving(None if ranks == (which.state in RANKED) else ranks, ("state", *values))
    statement.execute(connection, which=which.id, state=to, **values)
    if which.sweep_id is not None:
        changes = {f"n_{which.state}": -1, f"n_{to}": 1} if to != which.state else {}
        changes["waiting"] = (waiting_since is not None) - (which.waiting_since is not None)
        sweeps.add_to_counters(connection, which.sweep_id, changes)
    return replace(which, state=to, waiting_since=waiting_since)


@cache
def _moving(ranks: bool | None, columns: tuple[str, ...]) -> Prepared:
    """``ranks`` says whether the run ranks from now on; None: as before."""
    statement = update(run).where(run.c.id == bindparam("which"))
    if ranks is not None:
        statement = statement.values(rank_loss=run.c.loss if ranks else null())
    return Prepared(statement, columns)


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


def add_attempt(connection: Connection, which: Run, **values: Any) -> None:
    """Inserts the attempt that ``which.attempt`` counts, and clears what earlier attempts have shown."""
    begun = {"run_id": which.id, "number": which.attempt, "state": "running", "summary_set": {}, "defines": {}}
    row = {**begun, **values}
    if which.attempt > 1:
        connection.execute(delete(summary).where(summary.c.run_id == which.id))
        connection.execute(delete(observation).where(observation.c.run_id == which.id))
    prepared.add(connection, attempt, row)


def find_attempt(connection: Connection, run_id: int, number: int) -> Attempt | None:
    """One attempt of a run, None if there is none."""
    row = _ATTEMPT_OF.first(connection, which=run_id, count=number)
    return None if row is None else _attempt(row)


def get_attempt(connection: Connection, which: Run, number: int) -> Attempt:
    """One attempt of a run; raises NotFound."""
    found = find_attempt(connection, which.id, number)
    if found is None:
        raise NotFound(_no_attempt(which, number))
    return found


def _no_attempt(which: Run, number: int) -> str:
    return f"run {which.name} has no attempt {number}: its last is {which.attempt}"


def get_both(connection: Connection, uid: str, number: int) -> tuple[Run, Attempt]:
    """A run and one of its attempts; raises NotFound."""
    row = _BOTH.first(connection, which=uid, count=number)
    if row is None:
        raise NotFound(_gone(uid))
    which = _record(row[: len(_RUN)])
    if row[len(_RUN)] is None:
        raise NotFound(_no_attempt(which, number))
    return which, _attempt(row[len(_RUN) :])


def change_attempt(connection: Connection, attempt_id: int, **values: Any) -> None:
    """Sets columns of an attempt."""
    prepared.change(connection, attempt, attempt_id, values)


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
    row = _CLAIMED.first(connection, which=request_id)
    if row is None:
        return None
    found = _attempt(row)
    return by_id(connection, found.run_id), found


def owner(connection: Connection, which: Run) -> str | None:
    """The uid of the run's sweep."""
    if which.sweep_id is None:
        return None
    return str(_OWNER.value(connection, which=which.sweep_id))


def config_of(connection: Connection, run_id: int) -> dict[str, Any]:
    """Everything that a run was configured with."""
    config: dict[str, Any] = _CONFIG.value(connection, which=run_id)
    return config


def told_progress(connection: Connection, run_id: int, now: float, every_s: float) -> bool:
    """True (and remembered) if the run's progress was not told within ``every_s`` seconds."""
    return _TELL_PROGRESS.first(connection, which=run_id, before=now - every_s, now=now) is not None
