"""Rows of agents, and the answers made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, case, insert, select, update

from besom.engine.records import Agent
from besom.store import prepared
from besom.store.prepared import Prepared
from besom.store.status import AGENT_LATE_S
from besom.store.tables import agent, attempt, project, run, sweep
from besom.wire.agents import AgentRow, HeldRun, Neighbour
from besom.wire.encoding import iso

_FACTS = Agent.__struct_fields__
_AGENT = [agent.c[name] for name in _FACTS]
_BY_UID = Prepared(select(*_AGENT).where(agent.c.uid == bindparam("which")))
_BY_ID = Prepared(select(*_AGENT).where(agent.c.id == bindparam("which")))
_COUNT_END = Prepared(
    update(agent)
    .returning(*_AGENT)
    .where(agent.c.id == bindparam("which"))
    .values(
        done=agent.c.done + 1,
        seen=bindparam("heard", type_=agent.c.seen.type),
        failed=agent.c.failed + bindparam("unhappy", type_=agent.c.failed.type),
        last_error=case(
            (bindparam("unhappy", type_=agent.c.failed.type) > 0, bindparam("error", type_=agent.c.last_error.type)),
            else_=agent.c.last_error,
        ),
    )
)


def find(connection: Connection, uid: str) -> Agent | None:
    """The agent with this uid, None if there is none."""
    return _record(_BY_UID.first(connection, which=uid))


def by_id(connection: Connection, agent_id: int) -> Agent:
    """The agent with this id."""
    return _there(_BY_ID.first(connection, which=agent_id), agent_id)


def _there(row: Sequence[Any] | None, agent_id: int) -> Agent:
    found = _record(row)
    assert found is not None, f"agent {agent_id} is gone in the middle of a change"
    return found


def _record(row: Sequence[Any] | None) -> Agent | None:
    if row is None:
        return None
    values = dict(zip(_FACTS, row, strict=True))
    values["off_now"] = bool(values["off_now"])
    return Agent(**values)


def add(connection: Connection, **values: Any) -> None:
    """Inserts an agent that is alive."""
    connection.execute(insert(agent).values(state="alive", **values))


def change(connection: Connection, agent_id: int, **values: Any) -> None:
    """Sets columns of an agent."""
    prepared.change(connection, agent, agent_id, values)


def count_end(connection: Connection, agent_id: int, failed: bool, error: str | None, now: float) -> Agent:
    """Counts an attempt that the agent has brought to its end, as it was heard to say at ``now``."""
    row = _COUNT_END.first(connection, which=agent_id, unhappy=int(failed), error=error, heard=now)
    return _there(row, agent_id)


def silent(connection: Connection, before: float) -> list[Row[Any]]:
    """(id, uid, sweep uid) of agents that should be there and were not heard of since ``before``."""
    query = (
        select(agent.c.id, agent.c.uid, sweep.c.uid.label("sweep"))
        .join(sweep, sweep.c.id == agent.c.sweep_id)
        .where(agent.c.state.in_(["alive", "off"]), agent.c.seen < before)
    )
    return list(connection.execute(query))


def see_all(connection: Connection, now: float) -> None:
    """Counts every agent that should be there as heard of just now."""
    connection.execute(update(agent).where(agent.c.state.in_(["alive", "off"])).values(seen=now))


def neighbours(connection: Connection, sweep_id: int, host: str, besides: str) -> list[Neighbour]:
    """The other agents of a sweep on one host that hold runs and have not said that they ended."""
    query = (
        select(agent, run.c.uid.label("run_uid"), attempt.c.number, attempt.c.slot)
        .join(attempt, attempt.c.agent_id == agent.c.id)
        .join(run, run.c.id == attempt.c.run_id)
        .where(agent.c.sweep_id == sweep_id, agent.c.host == host, agent.c.uid != besides, agent.c.state != "ended")
        .where(attempt.c.state == "running")
        .order_by(agent.c.id, attempt.c.id)
    )
    found: dict[int, Neighbour] = {}
    for row in connection.execute(query):
        other = Neighbour(uid=row.uid, pid=row.pid, process_started=row.process_started, boot_id=row.boot_id, runs=[])
        held = HeldRun(uid=row.run_uid, attempt=row.number, slot=row.slot or 0)
        found.setdefault(row.id, other).runs.append(held)
    return list(found.values())


def rows(connection: Connection, now: float, sweep_uid: str | None = None) -> list[AgentRow]:
    """The agents as lists show them, oldest first."""
    query = (
        select(agent, sweep.c.uid.label("sweep_uid"), project.c.entity, project.c.name.label("project_name"))
        .join(sweep, sweep.c.id == agent.c.sweep_id)
        .join(project, project.c.id == sweep.c.project_id)
        .order_by(agent.c.id)
    )
    if sweep_uid is not None:
        query = query.where(sweep.c.uid == sweep_uid)
    found = connection.execute(query).all()
    running = _running(connection, [row.id for row in found])
    return [_answer(row, running.get(row.id, []), now) for row in found]


def _running(connection: Connection, agents: list[int]) -> dict[int, list[str]]:
    query = (
        select(attempt.c.agent_id, run.c.name)
        .join(run, run.c.id == attempt.c.run_id)
        .where(attempt.c.agent_id.in_(agents), attempt.c.state == "running")
        .order_by(attempt.c.id)
    )
    names: dict[int, list[str]] = {}
    for row in connection.execute(query):
        names.setdefault(row.agent_id, []).append(row.name)
    return names


def _answer(row: Row[Any], running: list[str], now: float) -> AgentRow:
    state: Literal["alive", "late", "off", "ended"] = row.state
    if state == "alive" and row.seen < now - AGENT_LATE_S:
        state = "late"
    return AgentRow(
        id=row.uid,
        sweep=row.sweep_uid,
        entity=row.entity,
        project=row.project_name,
        host=row.host,
        pid=row.pid,
        state=state,
        running=running,
        done=row.done,
        failed=row.failed,
        last_error=row.last_error,
        seen=iso(row.seen) or "",
        started=iso(row.started) or "",
        ended_reason=row.ended_reason,
    )
