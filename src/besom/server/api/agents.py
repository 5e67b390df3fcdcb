"""Agents: introducing themselves, living, asking for runs, ending."""

from __future__ import annotations

from msgspec import Struct

from besom.operations import agents as operations
from besom.operations import claims
from besom.server.endpoint import Ask
from besom.store import agents as stored
from besom.wire.agents import (
    AgentAnswer,
    AgentEnd,
    AgentHeartbeat,
    AgentHeartbeatAnswer,
    AgentOff,
    AgentRow,
    Claim,
    Finish,
    HandOut,
    NewAgent,
    Wait,
)


class AgentsQuery(Struct, forbid_unknown_fields=True):
    """Of which sweep; absent: of all."""

    sweep: str | None = None


async def ls(ask: Ask, query: AgentsQuery) -> dict[str, list[AgentRow]]:
    """Agents, those that live first."""
    return {"agents": await ask.read(stored.rows, ask.now, query.sweep)}


async def register(ask: Ask, body: NewAgent) -> AgentAnswer:
    """Introduces an agent to a sweep."""
    return await ask.write(operations.register, body, ask.who.entity, base_url=ask.base_url)


async def heartbeat(ask: Ask, body: AgentHeartbeat) -> AgentHeartbeatAnswer:
    """Renews the leases of the attempts that the agent holds and brings its orders."""
    return await ask.write(operations.heartbeat, ask.path["agent"], body.runs)


async def claim(ask: Ask, body: Claim) -> HandOut | Wait | Finish:
    """The next run, or why there is none now."""
    return await ask.write(claims.claim, ask.path["agent"], body, base_url=ask.base_url)


async def off(ask: Ask, body: AgentOff) -> None:
    """Turns the agent off, after its current runs or at once."""
    await ask.write(operations.turn_off, ask.path["agent"], body.now)


async def end(ask: Ask, body: AgentEnd) -> None:
    """The agent's last word."""
    await ask.write(operations.end, ask.path["agent"], body.reason)
