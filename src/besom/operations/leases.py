"""How long an agent's right to a run lasts without a heartbeat: a setting of the server, told with the database."""

from __future__ import annotations

from sqlalchemy import Connection

LEASE_S = 60.0
HEARTBEAT_S = 5.0
# A run without an agent beats less often: there may be thousands of them.
RUN_HEARTBEAT_S = 15.0
# A lease outlives so many heartbeats that are lost.
BEATS_A_LEASE = 4
# An agent that was silent for this long is counted as gone.
AGENT_GONE_S = 600.0


def lease_s(c: Connection) -> float:
    """Seconds that a lease lasts, as the server was told at its start."""
    return float(c.get_execution_options().get("lease_s", LEASE_S))


def heartbeat_s(c: Connection) -> float:
    """Seconds between two heartbeats of an agent."""
    return min(HEARTBEAT_S, lease_s(c) / BEATS_A_LEASE)


def run_heartbeat_s(c: Connection) -> float:
    """Seconds between two heartbeats of a run without an agent."""
    return min(RUN_HEARTBEAT_S, lease_s(c) / BEATS_A_LEASE)
