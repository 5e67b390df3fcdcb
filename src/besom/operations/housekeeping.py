"""What a timer calls; it takes the time as argument, so that only time in which the server is up counts."""

from __future__ import annotations

from sqlalchemy import Connection

from besom.engine.endings import lost_lease
from besom.operations.leases import AGENT_GONE_S, lease_s
from besom.operations.settling import circumstances, conclude, settle, sweep_of
from besom.store import agents, compaction, events, runs, sweeps, tidying
from besom.store.database import refetchable

MOST_AT_ONCE = 500
DAY_S = 24 * 3600.0
AGENTS_KEPT_S = 90 * DAY_S
TOKENS_KEPT_S = 30 * DAY_S


def expire_leases(c: Connection, now: float) -> list[str]:
    """Ends attempts whose lease has run out, counts silent agents as gone, ends sweeps whose time cap has passed.

    Returns the uids of the runs. To be called every few seconds.
    """
    expired = []
    for run_id, number in runs.late_attempts(c, now, MOST_AT_ONCE):
        run = runs.by_id(c, run_id)
        attempt = runs.get_attempt(c, run, number)
        sweep = sweep_of(c, run)
        decision = lost_lease(circumstances(c, run, attempt, sweep))
        conclude(c, run, attempt, sweep, decision, now, told=None)
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
    runs.renew_all(c, now + lease_s(c))
    agents.see_all(c, now)


def trim_events(c: Connection, keep: int) -> None:
    """Forgets all but the newest events. To be called every few minutes."""
    events.trim(c, keep)


def tidy(c: Connection, now: float) -> None:
    """Forgets agents that ended long ago and worthless tokens. To be called a few times a day."""
    tidying.drop_agents(c, now - AGENTS_KEPT_S)
    tidying.drop_tokens(c, now - TOKENS_KEPT_S)


@refetchable
def compact(c: Connection) -> bool:
    """Packs the rows of one attempt that has ended; False if there was none. A slice of a few milliseconds.

    To be called again and again until there is none, every few seconds. A power cut may take a slice back whole.
    """
    return compaction.compact_due(c)
