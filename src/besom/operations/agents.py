"""What agents tell of themselves, and what they are told. ``base_url`` goes in front of page addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal

from sqlalchemy import Connection

from besom.engine.records import Agent, Sweep
from besom.engine.states import OPEN
from besom.errors import NotFound, Refused
from besom.operations import searchers
from besom.operations.leases import heartbeat_s, lease_s
from besom.operations.settling import take_back
from besom.store import addresses, agents, events, runs, sweeps
from besom.store.database import refetchable
from besom.wire.agents import AgentAnswer, AgentHeartbeatAnswer, HeldRun, NewAgent, Order

_GONE = "Sweep was deleted or agent was not found."


def register(c: Connection, new: NewAgent, entity: str, now: float, base_url: str = "") -> AgentAnswer:
    """Takes an agent in; the same ``uid`` twice is the same agent.

    Raises NotFound for an unknown sweep, Refused for one that has ended.
    """
    sweep = sweeps.get(c, new.sweep_id, new.entity, new.project)
    known = agents.find(c, new.uid)
    if known is None:
        if sweep.state not in OPEN:
            why = f": {sweep.ended_reason}" if sweep.ended_reason else ""
            hint = f"`besom resume {sweep.uid}` opens it again"
            raise Refused(f"Sweep {sweep.uid} is not running, it is {sweep.state}{why}. {hint}.")
        _add(c, new, sweep, now)
    elif known.sweep_id != sweep.id:
        raise Refused(f"agent {new.uid} works for another sweep: a new agent needs a uid of its own")
    config = searchers.living(c, sweep).config
    return AgentAnswer(
        uid=new.uid,
        sweep_id=sweep.uid,
        entity=sweep.entity,
        project=sweep.project,
        sweep_name=sweep.name,
        sweep_state=sweep.state,
        program=config.program,
        command=None if config.command is None else list(config.command),
        metric=None if sweep.metric is None else sweeps.metric_answer(asdict(sweep.metric)),
        run_cap=sweep.run_cap,
        grid_size=sweep.size,
        heartbeat_s=heartbeat_s(c),
        lease_s=lease_s(c),
        url=addresses.sweep_page(base_url, sweep.entity, sweep.project, sweep.uid),
        neighbours=agents.neighbours(c, sweep.id, new.host, besides=new.uid),
    )


def _add(c: Connection, new: NewAgent, sweep: Sweep, now: float) -> None:
    agents.add(
        c,
        uid=new.uid,
        sweep_id=sweep.id,
        host=new.host,
        pid=new.pid,
        process_started=new.process_started,
        boot_id=new.boot_id,
        slots=new.slots,
        version=new.version,
        started=now,
        seen=now,
    )
    events.tell(c, "agent.started", now, sweep=sweep.uid, agent=new.uid, host=new.host, pid=new.pid)


@refetchable
def heartbeat(c: Connection, uid: str, held: Sequence[HeldRun], now: float) -> AgentHeartbeatAnswer:
    """Renews the leases of the held attempts and answers what to do with them and with the agent itself."""
    agent = agents.find(c, uid)
    if agent is None:
        return AgentHeartbeatAnswer(
            orders=[], agent="gone", reason=_GONE, sweep_state="deleted", runs_done=0, runs_total=None
        )
    # An agent that was counted as gone and speaks again is there.
    agents.change(c, agent.id, seen=now, **({"state": "alive"} if agent.state == "ended" else {}))
    orders = [order for run in held if (order := _order(c, agent, run, now)) is not None]
    sweep = sweeps.by_id(c, agent.sweep_id)
    word, reason = _word(agent, sweep)
    best = sweeps.best_run(c, sweep.id)
    return AgentHeartbeatAnswer(
        orders=orders,
        agent=word,
        reason=reason,
        sweep_state=sweep.state,
        runs_done=sum(sweep.counts.values()) - sweep.counts.get("running", 0) - sweep.waiting,
        runs_total=runs_total(sweep),
        best_score=None if best is None else best[1],
        best_run=None if best is None else best[0],
    )


def _word(agent: Agent, sweep: Sweep) -> tuple[Literal["go on", "off", "off now", "exit", "gone"], str | None]:
    if sweep.state == "canceled":
        return "exit", sweep.ended_reason
    if agent.state == "off":
        return ("off now" if agent.off_now else "off"), "turned off by a person"
    return "go on", None


def runs_total(sweep: Sweep) -> int | None:
    """How many runs the sweep will have made at its end; None if nothing says so.

    Points that were tried before are passed over, so they count to the draws and not to the cap.
    """
    passed = sweep.next_number - sweep.created_runs
    ends = [sweep.size, None if sweep.run_cap is None else sweep.run_cap + passed]
    return min((end for end in ends if end is not None), default=None)


def _order(c: Connection, agent: Agent, held: HeldRun, now: float) -> Order | None:
    run = runs.find(c, held.uid)
    if run is None:
        return _drop(held, "the run was deleted")
    attempt = runs.find_attempt(c, run.id, held.attempt)
    if attempt is None or attempt.number != run.attempt or attempt.agent_id != agent.id:
        return _drop(held, f"the run was taken over by its attempt {run.attempt}")
    if attempt.state == "lost":
        take_back(c, run, attempt, now)
    elif attempt.state == "running":
        runs.change_attempt(c, attempt.id, lease_until=now + lease_s(c))
    else:
        return _drop(held, f"the run has ended: {run.state}")
    if run.stop_wanted is None:
        return None
    order: Literal["stop", "kill"] = "kill" if run.stop_wanted == "kill" else "stop"
    return Order(uid=held.uid, attempt=held.attempt, order=order, reason=run.stop_reason or order)


def _drop(held: HeldRun, reason: str) -> Order:
    return Order(uid=held.uid, attempt=held.attempt, order="drop", reason=reason)


def turn_off(c: Connection, uid: str, at_once: bool, now: float) -> None:
    """Tells an agent to go after its current runs, or at once. Raises NotFound, Refused for one that has ended."""
    agent = agents.find(c, uid)
    if agent is None:
        raise NotFound(f"there is no agent {uid}: `besom agents` lists them")
    if agent.state == "ended":
        raise Refused(f"agent {uid} has ended already")
    agents.change(c, agent.id, state="off", off_now=int(at_once or agent.off_now))


def end(c: Connection, uid: str, reason: str, now: float) -> None:
    """Takes note that an agent has ended. An unknown agent (its sweep was deleted) is no mistake."""
    agent = agents.find(c, uid)
    if agent is None or agent.state == "ended":
        return
    agents.change(c, agent.id, state="ended", ended=now, ended_reason=reason, seen=now)
    sweep = sweeps.by_id(c, agent.sweep_id)
    events.tell(c, "agent.ended", now, sweep=sweep.uid, agent=uid, reason=reason)
