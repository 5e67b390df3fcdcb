"""Agents: introducing themselves, living, asking for runs, ending."""

from __future__ import annotations

import asyncio

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

# How long an agent waits here for a model, rather than at home.
PATIENCE_S = 2.0


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
    """The next run, or why there is none now: what a model is about to choose is waited for, two seconds at most."""
    answer = await ask.write(claims.claim, ask.path["agent"], body, base_url=ask.base_url)
    loop, services = asyncio.get_running_loop(), ask.services
    until = loop.time() + PATIENCE_S
    while isinstance(answer, Wait) and answer.computing and loop.time() < until and not services.closing.is_set():
        agent = await ask.read(stored.find, ask.path["agent"])
        if agent is None:
            break
        await services.suggester.wait(agent.sweep_id, until - loop.time())
        answer = await services.database.write(
            claims.claim, ask.path["agent"], body, now=services.now(), base_url=ask.base_url
        )
    return answer


async def off(ask: Ask, body: AgentOff) -> None:
    """Turns the agent off, after its current runs or at once."""
    await ask.write(operations.turn_off, ask.path["agent"], body.now)


async def end(ask: Ask, body: AgentEnd) -> None:
    """The agent's last word."""
    await ask.write(operations.end, ask.path["agent"], body.reason)
