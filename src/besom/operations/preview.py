"""What would be handed out next, without taking it."""

from __future__ import annotations

from sqlalchemy import Connection

from besom.engine.next_run import HandOutRun, WaitForRuns
from besom.engine.remarks import run_display_name
from besom.operations import searchers
from besom.operations.claims import decide, facts
from besom.store import sweeps
from besom.sweep_config import read_sweep_config
from besom.wire.agents import Finish, HandOut, Wait


def next_params(c: Connection, sweep_uid: str, now: float, base_url: str = "") -> HandOut | Wait | Finish:
    """What an agent would get; a new run has no uid, name or token yet. Raises NotFound. A look: nothing changes."""
    sweep = sweeps.get(c, sweep_uid)
    # Searchers may remember draws and belong to the writer's thread: a look builds its own.
    living = searchers.build(read_sweep_config(sweeps.config_of(c, sweep.id)), sweep.seed)
    swept = living.config.space.swept_names
    decision = decide(c, sweep, living, now)
    if isinstance(decision, HandOutRun):
        if (run := decision.again) is not None:
            name, attempt = run.display_name, run.attempt + 1
            return facts(sweep, run.uid, run.name, name, attempt, run.params, swept, run.idx, "", base_url)
        name = run_display_name(decision.params, living.config.space, decision.number)
        return facts(sweep, "", "", name, 1, decision.params, swept, decision.number, "", base_url)
    if isinstance(decision, WaitForRuns):
        return Wait(seconds=decision.seconds, reason=decision.reason, computing=decision.computing)
    return Finish(why="canceled" if sweep.state == "canceled" else "finished", reason=decision.reason)
