"""What a timer calls; it takes the time as argument, so that only time in which the server is up counts."""

from __future__ import annotations

from sqlalchemy import Connection

from besom.engine.endings import lost_lease
from besom.operations.leases import AGENT_GONE_S, LEASE_S
from besom.operations.settling import circumstances, conclude, settle
from besom.store import agents, events, runs, sweeps

MOST_AT_ONCE = 500
EVENTS_KEPT = 200_000


def expire_leases(c: Connection, now: float) -> list[str]:
    """Ends attempts whose lease has run out, counts silent agents as gone, ends sweeps whose time cap has passed.

    Returns the uids of the runs. To be called every few seconds.
    """
    expired = []
    for run_id, number in runs.late_attempts(c, now, MOST_AT_ONCE):
        run = runs.by_id(c, run_id)
        attempt = runs.get_attempt(c, run, number)
        conclude(c, run, attempt, lost_lease(circumstances(c, run, attempt)), now, told=None)
        expired.append(run.uid)
    for agent in agents.silent(c, now - AGENT_GONE_S):
        reason = "nothing was heard from it any more"
        agents.change(c, agent.id, state="ended", ended=now, ended_reason=reason)
        events.tell(c, "agent.ended", now, sweep=agent.sweep, agent=agent.uid, reason=reason)
    for sweep_id in sweeps.past_deadline(c, now):
        settle(c, sweep_id, now)
    return expired


def renew_all_leases(c: Connection, now: float) -> None:
    """Gives every lease a full period: when the server starts, and after a jump of the clock."""
    runs.renew_all(c, now + LEASE_S)
    agents.see_all(c, now)


def trim_events(c: Connection, keep: int = EVENTS_KEPT) -> None:
    """Forgets all but the newest events. To be called every few minutes."""
    events.trim(c, keep)
