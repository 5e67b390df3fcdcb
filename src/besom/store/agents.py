"""Rows of agents, and the answers made of them."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Connection, Row, insert, select, update

from besom.engine.records import Agent
from besom.store.status import AGENT_LATE_S
from besom.store.tables import agent, attempt, project, run, sweep
from besom.wire.agents import AgentRow
from besom.wire.encoding import iso

_AGENT = [agent.c[name] for name in Agent.__dataclass_fields__]


def find(connection: Connection, uid: str) -> Agent | None:
    """The agent with this uid, None if there is none."""
    row = connection.execute(select(*_AGENT).where(agent.c.uid == uid)).first()
    return None if row is None else Agent(row.id, row.uid, row.sweep_id, row.host, row.state, bool(row.off_now))


def uid_of(connection: Connection, agent_id: int) -> str:
    """The uid of an agent."""
    return str(connection.execute(select(agent.c.uid).where(agent.c.id == agent_id)).scalar_one())


def add(connection: Connection, **values: Any) -> None:
    """Inserts an agent that is alive."""
    connection.execute(insert(agent).values(state="alive", **values))


def change(connection: Connection, agent_id: int, **values: Any) -> None:
    """Sets columns of an agent."""
    connection.execute(update(agent).where(agent.c.id == agent_id).values(**values))


def count_end(connection: Connection, agent_id: int, failed: bool, error: str | None) -> None:
    """Counts an attempt that the agent has brought to its end."""
    values: dict[str, Any] = {"done": agent.c.done + 1}
    if failed:
        values |= {"failed": agent.c.failed + 1, "last_error": error}
    change(connection, agent_id, **values)


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
