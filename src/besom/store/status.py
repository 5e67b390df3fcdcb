"""What the server holds, counted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, func, select

from besom.store.tables import agent, meta, project, run, sweep

# An agent that was silent for longer than a lease is late.
AGENT_LATE_S = 60.0


def counts(connection: Connection, now: float) -> dict[str, int]:
    """How many projects, sweeps, runs and living agents there are."""
    return {
        "projects": _count(connection, project),
        "sweeps": _count(connection, sweep),
        "sweeps_running": _count(connection, sweep, sweep.c.state == "running"),
        "runs": _count(connection, run),
        "runs_running": connection.execute(select(func.coalesce(func.sum(sweep.c.n_running), 0))).scalar_one()
        + _count(connection, run, run.c.sweep_id.is_(None), run.c.state == "running"),
        "agents_alive": _count(connection, agent, agent.c.state == "alive", agent.c.seen >= now - AGENT_LATE_S),
    }


def _count(connection: Connection, table: Table, *conditions: Any) -> int:
    return connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()


def server_id(connection: Connection) -> str:
    """The random word that tells this server's data from any other's."""
    return str(connection.execute(select(meta.c.value).where(meta.c.name == "server_id")).scalar_one())
