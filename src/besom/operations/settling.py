"""What follows for runs and sweeps when something has ended: shared by the operations, no door of its own."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection

from besom.engine.endings import Again, Circumstances, Final
from besom.engine.next_run import end_of_search, under_way
from besom.engine.records import Attempt, Run, Sweep
from besom.engine.states import COUNTED, OPEN
from besom.operations.leases import lease_s
from besom.store import agents, compaction, events, runs, sweeps
from besom.sweep_config import Retry
from besom.wire.sweeps import SweepState


def move_sweep(c: Connection, sweep: Sweep, to: SweepState, reason: str | None, now: float) -> Sweep:
    """Brings a sweep into another state and tells it."""
    sweeps.move(c, sweep, to, reason, now)
    events.tell(c, "sweep.changed", now, sweep=sweep.uid, state=to, reason=reason)
    return replace(sweep, state=to, ended_reason=reason)


def settle(c: Connection, sweep_id: int | None, now: float) -> None:
    """Finishes a running sweep that will make no more runs and has none under way."""
    if sweep_id is None:
        return
    sweep = sweeps.by_id(c, sweep_id)
    if sweep.state == "running" and under_way(sweep) == 0:
        reason = end_of_search(sweep, sweeps.reached_target(c, sweep), now)
        if reason is not None:
            move_sweep(c, sweep, "finished", reason, now)


def sweep_of(c: Connection, run: Run) -> Sweep | None:
    """The run's sweep."""
    return None if run.sweep_id is None else sweeps.by_id(c, run.sweep_id)


def circumstances(c: Connection, run: Run, attempt: Attempt, sweep: Sweep | None) -> Circumstances:
    """What else decides what an ending means."""
    past = runs.ended_attempts(c, run.id, besides=attempt.id) if run.attempt > 1 else {}
    if sweep is None:
        return Circumstances(past, Retry(), handable=False, stop_wanted=run.stop_wanted)
    return Circumstances(past, sweep.retry, run.by_sweep and sweep.state in OPEN, run.stop_wanted)


def conclude(
    c: Connection,
    run: Run,
    attempt: Attempt,
    sweep: Sweep | None,
    decision: Again | Final,
    now: float,
    *,
    told: str | None,
    **facts: Any,
) -> Run:
    """Writes down how an attempt ended and what becomes of its run. ``told`` is the error as somebody reported it.

    ``sweep`` is the run's, as it is before.
    """
    error = told or decision.reason
    runs.change_attempt(c, attempt.id, state=decision.attempt_state, ended=now, error=error, token_hash=None, **facts)
    if sweep is not None:
        sweeps.add_to_counters(c, sweep.id, {"run_time_ms": _milliseconds(attempt.started, now)})
    if attempt.has_rows:
        compaction.leave(c, attempt.id)
    if isinstance(decision, Again):
        run = runs.move(c, run, decision.state, decision.reason, waiting_since=now, error=error)
        _tell_end(c, run, sweep, now, decision.reason)
    else:
        run = end_run(c, run, sweep, decision, now, error=error)
    return run


def end_run(
    c: Connection, run: Run, sweep: Sweep | None, decision: Final, now: float, *, error: str | None = None
) -> Run:
    """Brings a run to a final state; its sweep may be finished by it. ``sweep`` is the run's, as it is before."""
    values: dict[str, Any] = {"ended": now, "stop_wanted": None}
    if decision.state in ("stopped", "killed"):
        values["stop_reason"] = run.stop_reason or decision.reason
        values["error"] = None
    else:
        values["error"] = None if decision.state == "finished" else error
    why = values.get("stop_reason") or decision.reason
    if sweep is not None and sweep.plateau_runs is not None and decision.state in COUNTED:
        sweeps.add_to_counters(c, sweep.id, {"since_best": -sweep.since_best if _is_best(c, run, sweep) else 1})
    run = runs.move(c, run, decision.state, decision.reason or "", waiting_since=None, **values)
    _tell_end(c, run, sweep, now, why)
    if sweep is not None and under_way(sweep) <= 1:
        settle(c, sweep.id, now)
    return run


def _is_best(c: Connection, run: Run, sweep: Sweep) -> bool:
    """True if a run that is about to end well has a better score than all that have."""
    best = sweeps.best_run(c, sweep.id)
    if run.score is None or sweep.metric is None:
        return False
    return best is None or sweep.metric.better(run.score, best[1])


def _milliseconds(start: float, end: float) -> int:
    # A clock that was set back takes no time away.
    return max(0, round((end - start) * 1000))


def _tell_end(c: Connection, run: Run, sweep: Sweep | None, now: float, reason: str | None) -> None:
    events.tell(
        c,
        "run.ended",
        now,
        sweep=None if sweep is None else sweep.uid,
        run=run.uid,
        name=run.name,
        display_name=run.display_name,
        attempt=run.attempt,
        state=run.state,
        reason=reason,
        score=run.score,
        again=run.waiting_since is not None,
    )


def take_back(c: Connection, run: Run, attempt: Attempt, now: float) -> tuple[Run, Attempt]:
    """Gives a run back to the attempt whose lease was lost, since nobody else has taken it."""
    until = now + lease_s(c)
    if run.sweep_id is not None and attempt.ended is not None:
        sweeps.add_to_counters(c, run.sweep_id, {"run_time_ms": -_milliseconds(attempt.started, attempt.ended)})
    runs.change_attempt(c, attempt.id, state="running", lease_until=until, ended=None, error=None)
    run = runs.move(c, run, "running", "its watcher came back", ended=None, error=None)
    agent = None if attempt.agent_id is None else agents.by_id(c, attempt.agent_id).uid
    tell_start(c, run, runs.owner(c, run), attempt.number, now, agent)
    return run, replace(attempt, state="running", lease_until=until, ended=None)


def tell_start(c: Connection, run: Run, sweep: str | None, number: int, now: float, agent: str | None) -> None:
    """Tells that an attempt has begun."""
    events.tell(
        c,
        "run.started",
        now,
        sweep=sweep,
        run=run.uid,
        name=run.name,
        display_name=run.display_name,
        attempt=number,
        agent=agent,
    )
