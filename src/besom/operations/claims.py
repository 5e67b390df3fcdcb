"""Handing out runs: each point to one run, each ask one answer, whatever is asked twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from besom.common.ids import new_id
from besom.engine.next_run import HandOutRun, NothingLeft, Progress, WaitForRuns, next_run
from besom.engine.records import Agent, Attempt, Run, Sweep
from besom.engine.remarks import run_display_name
from besom.operations import searchers
from besom.operations.agents import runs_total
from besom.operations.leases import lease_s
from besom.operations.settling import move_sweep, take_back, tell_start
from besom.search.methods import looks_at_results
from besom.store import addresses, agents, events, runs, suggestions, sweeps
from besom.store.tokens import hash_of
from besom.wire.agents import Claim, Finish, HandOut, Wait

TOKEN_LENGTH = 48


def claim(c: Connection, agent_uid: str, ask: Claim, now: float, base_url: str = "") -> HandOut | Wait | Finish:
    """The next run for an agent. The same ``request_id`` twice gets the same attempt while that is the run's last."""
    agent = agents.find(c, agent_uid)
    if agent is None:
        return Finish(why="deleted", reason="Sweep was deleted or agent was not found.")
    agents.change(c, agent.id, seen=now)
    return claim_for(c, agent, ask, now, base_url)


def claim_for(c: Connection, agent: Agent, ask: Claim, now: float, base_url: str = "") -> HandOut | Wait | Finish:
    """The same for an agent that is known, and known to have been heard of."""
    if (asked := runs.claimed(c, ask.request_id)) is not None:
        return _again(c, agent, *asked, now, base_url)
    if agent.state == "off":
        return Finish(why="turned off", reason="the agent was turned off by a person")
    sweep = sweeps.by_id(c, agent.sweep_id)
    decision = decide(c, sweep, searchers.living(c, sweep), now)
    if isinstance(decision, HandOutRun):
        secret = new_id(TOKEN_LENGTH)
        run = _take(c, agent, sweep, decision, ask, secret, now)
        return _hand_out(c, sweeps.by_id(c, sweep.id), run, secret, base_url)
    if decision.next_number != sweep.next_number:
        sweeps.set_counters(c, sweep.id, next_number=decision.next_number)
    if isinstance(decision, WaitForRuns):
        return Wait(seconds=decision.seconds, reason=decision.reason, computing=decision.computing)
    return _finish(c, sweep, decision, now)


def decide(c: Connection, sweep: Sweep, living: searchers.Living, now: float) -> HandOutRun | WaitForRuns | NothingLeft:
    """What an agent of this sweep would be told; changes nothing."""
    progress = Progress(
        waiting=runs.longest_waiting(c, sweep.id) if sweep.waiting else None,
        reached=sweeps.reached_target(c, sweep),
        pending=lambda: runs.params_under_way(c, sweep.id),
        tried=lambda digest: sweeps.is_tried(c, sweep.id, digest),
        running_s=lambda: runs.seconds_running(c, sweep.id, now),
        ready=lambda: suggestions.of_draw(c, sweep),
    )
    return next_run(sweep, progress, None if looks_at_results(sweep.method) else living.searcher, now)


def _again(c: Connection, agent: Agent, run: Run, attempt: Attempt, now: float, base_url: str) -> HandOut | Wait:
    """The answer to an ask that came before: the same attempt, unless that is over."""
    current = attempt.number == run.attempt
    if current and attempt.state == "lost":
        run, attempt = take_back(c, run, attempt, now)
    elif not current or attempt.state != "running":
        # Nobody may wait for this answer any more: a fresh run would be given to nobody.
        return Wait(seconds=0.0, reason=f"this ask was given run {run.name}, whose attempt {attempt.number} is over")
    secret = new_id(TOKEN_LENGTH)
    runs.change_attempt(c, attempt.id, token_hash=hash_of(secret))
    return _hand_out(c, sweeps.by_id(c, agent.sweep_id), run, secret, base_url)


def _finish(c: Connection, sweep: Sweep, decision: NothingLeft, now: float) -> Finish:
    if sweep.state not in ("finished", "canceled"):
        move_sweep(c, sweep, "finished", decision.reason, now)
    return Finish(why="canceled" if sweep.state == "canceled" else "finished", reason=decision.reason)


def _take(c: Connection, agent: Agent, sweep: Sweep, decision: HandOutRun, ask: Claim, secret: str, now: float) -> Run:
    if decision.again is None:
        run = _make_run(c, agent, sweep, decision, now)
    else:
        run = _begin_again(c, decision.again, agent, now)
    runs.add_attempt(
        c,
        run,
        agent_id=agent.id,
        slot=ask.slot,
        host=agent.host,
        lease_until=now + lease_s(c),
        started=now,
        request_id=ask.request_id,
        token_hash=hash_of(secret),
    )
    tell_start(c, run, sweep.uid, run.attempt, now, agent.uid)
    return run


def _make_run(c: Connection, agent: Agent, sweep: Sweep, decision: HandOutRun, now: float) -> Run:
    params = dict(decision.params)
    space = searchers.living(c, sweep).config.space
    run = runs.add(
        c,
        now=now,
        uid=new_id(16),
        project_id=sweep.project_id,
        sweep_id=sweep.id,
        name=None,
        display_name=run_display_name(params, space, decision.number),
        idx=decision.number,
        params_hash=decision.params_hash,
        by_sweep=1,
        params=params,
        config=params,
        state="running",
        attempt=1,
        host=agent.host,
        started=now,
        **({} if decision.info is None else {"search_info": decision.info}),
        counted={"next_number": decision.number + 1 - sweep.next_number, "created_runs": 1},
    )
    if decision.info is not None:
        suggestions.drop(c, sweep.id, decision.number)
    if sweep.first_started is None:
        deadline = None if sweep.time_cap_s is None else now + sweep.time_cap_s
        sweeps.set_counters(c, sweep.id, first_started=now, deadline=deadline)
    if sweep.state == "pending":
        move_sweep(c, sweep, "running", None, now)
    events.tell(
        c, "run.created", now, sweep=sweep.uid, run=run.uid, name=run.name, display_name=run.display_name, params=params
    )
    return run


def _begin_again(c: Connection, waiting: Run, agent: Agent, now: float) -> Run:
    """The next attempt of a run: what earlier ones have shown counts no more (unless it resumes, see recording)."""
    runs.move(
        c,
        waiting,
        "running",
        "handed out again",
        attempt=waiting.attempt + 1,
        started=now,
        ended=None,
        host=agent.host,
        stop_wanted=None,
        stop_reason=None,
        error=None,
        warnings=[],
        reads=None,
        score=None,
        loss=None,
    )
    return runs.by_id(c, waiting.id)


def _hand_out(c: Connection, sweep: Sweep, run: Run, secret: str, base_url: str) -> HandOut:
    swept = searchers.living(c, sweep).config.space.swept_names
    return facts(sweep, run.uid, run.name, run.display_name, run.attempt, run.params, swept, run.idx, secret, base_url)


def facts(
    sweep: Sweep,
    uid: str,
    name: str,
    display_name: str,
    attempt: int,
    params: Mapping[str, Any],
    swept: Sequence[str],
    idx: int | None,
    secret: str,
    base_url: str,
) -> HandOut:
    """A hand-out on the wire."""
    return HandOut(
        uid=uid,
        name=name,
        display_name=display_name,
        attempt=attempt,
        params=dict(params),
        swept=list(swept),
        token=secret,
        url=addresses.run_page(base_url, sweep.entity, sweep.project, name) if name else "",
        number=(idx or 0) + 1,
        total=runs_total(sweep),
        resumed=attempt > 1,
    )
