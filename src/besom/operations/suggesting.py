"""Suggestions made ahead for the methods that look at results: what is due, and keeping what was made.

The work between the two (`engine.ahead.carry_out`) takes up to seconds and happens elsewhere. Who makes a suggestion
keeps nothing: after a restart what is stored is handed out or made again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from besom.engine.ahead import Drawn, Ready, Task, by_chance, carry_out, told
from besom.engine.next_run import end_of_search
from besom.engine.records import Sweep
from besom.engine.states import ENDS, OPEN
from besom.operations import searchers
from besom.search.methods import looks_at_results
from besom.space import params_hash
from besom.store import runs, suggestions, sweeps
from besom.sweep_config import read_sweep_config

# So many are made at a time, so that other sweeps get their turn, and so many lie ready at most.
MOST_AT_ONCE = 4
MOST_READY = 16
# What was made without knowing of so many runs that have ended since is handed out; beyond that it is made again.
MOST_UNSEEN = 1


def sweeps_of_models(c: Connection) -> list[int]:
    """The ids of the open sweeps whose method looks at results, oldest first. A look."""
    return [sweep_id for sweep_id, method in suggestions.open_sweeps(c) if looks_at_results(method)]


def due(c: Connection, now: float, hungry: Mapping[int, int], last: int = 0) -> Task | None:
    """The next piece of work for any sweep, None if there is none. A look.

    ``hungry`` is how many agents wait for a suggestion, by the sweep's id; those sweeps come first, and in turn:
    ``last`` is the one that was worked for last.
    """

    def turn(sweep_id: int) -> tuple[bool, bool, int]:
        return sweep_id not in hungry, sweep_id <= last, sweep_id

    for sweep_id in sorted(sweeps_of_models(c), key=turn):
        task = wanted(c, sweeps.by_id(c, sweep_id), now, hungry.get(sweep_id, 0))
        if task is not None:
            return task
    return None


def wanted(c: Connection, sweep: Sweep, now: float, hungry: int = 0) -> Task | None:
    """The draws of a sweep that should be made now: those that lack first, then those that know too little."""
    running_s = 0.0 if sweep.compute_cap_s is None else runs.seconds_running(c, sweep.id, now)
    if end_of_search(sweep, sweeps.reached_target(c, sweep), now, running_s) is not None:
        return None
    ready = suggestions.in_order(c, sweep)
    finished = _finished(sweep)
    if any(_is_spent(c, sweep, each) for each in ready):
        numbers = [each.number for each in ready]
    else:
        numbers = _lacking(sweep, ready, hungry) or [each.number for each in ready if _is_stale(each, finished)]
    numbers = numbers[:MOST_AT_ONCE]
    if not numbers:
        return None
    return Task(
        sweep_id=sweep.id,
        config=sweeps.config_of(c, sweep.id),
        seed=sweep.seed,
        numbers=numbers,
        finished_seen=finished,
        **_seen(c, sweep, [each for each in ready if each.number not in numbers]),
    )


def _seen(c: Connection, sweep: Sweep, ready: Sequence[Ready]) -> dict[str, Any]:
    observations = suggestions.observations(c, sweep)
    known = {params_hash(each.params) for each in observations if each.number < 0}
    others = [params for params in suggestions.other_points(c, sweep) if params_hash(params) not in known]
    return {
        "observations": observations,
        "pending": [*others, *(each.params for each in ready if each.params is not None)],
    }


def _finished(sweep: Sweep) -> int:
    return sum(sweep.counts.get(state, 0) for state in ENDS)


def _is_spent(c: Connection, sweep: Sweep, ready: Ready) -> bool:
    """True for params that a run has meanwhile."""
    return ready.params_hash is not None and sweeps.is_tried(c, sweep.id, ready.params_hash)


def _is_stale(ready: Ready, finished: int) -> bool:
    return ready.params is not None and finished - ready.finished_seen > MOST_UNSEEN


def _lacking(sweep: Sweep, ready: Sequence[Ready], hungry: int) -> list[int]:
    if any(each.params is None for each in ready):
        return []
    begin, end = sweep.next_number + len(ready), sweep.next_number + min(max(hungry, 1), MOST_READY)
    if sweep.run_cap is not None:
        end = min(end, sweep.next_number + sweep.run_cap - sweep.created_runs)
    if sweep.size is not None:
        end = min(end, sweep.size)
    return list(range(begin, end))


def keep(c: Connection, task: Task, drawn: Drawn, now: float) -> bool:
    """Stores a draw if the sweep still wants it; False if not. Params that a run has meanwhile give way to others."""
    if not sweeps.is_there(c, task.sweep_id):
        return False
    sweep = sweeps.by_id(c, task.sweep_id)
    if sweep.state not in OPEN or drawn.number < sweep.next_number:
        return False
    if drawn.params_hash is not None and sweeps.is_tried(c, sweep.id, drawn.params_hash):
        drawn = _by_chance(c, sweep, drawn.number, "a run has what the model had chosen: drawn by chance")
    info = told(drawn.info, sweep.metric, lambda number: suggestions.run_name(c, sweep.id, number))
    ready = Ready(drawn.number, drawn.params, drawn.params_hash, info, task.finished_seen)
    suggestions.keep(c, sweep.id, ready, now)
    return True


def keep_by_chance(c: Connection, task: Task, number: int, why: str, now: float) -> bool:
    """Stores a random draw in the place of one that could not be made."""
    if not sweeps.is_there(c, task.sweep_id):
        return False
    return keep(c, task, _by_chance(c, sweeps.by_id(c, task.sweep_id), number, f"drawn by chance: {why}"), now)


def _by_chance(c: Connection, sweep: Sweep, number: int, why: str) -> Drawn:
    taken = {each.params_hash for each in suggestions.in_order(c, sweep) if each.number != number}
    return by_chance(
        searchers.living(c, sweep).config.space, sweep.seed, number, sweep.size,
        lambda digest: digest in taken or sweeps.is_tried(c, sweep.id, digest), why,
    )  # fmt: skip


def suggest_now(c: Connection, sweep_uid: str, now: float, hungry: int = 1) -> int:
    """Makes at once what is due for a sweep and returns how many draws it was: for programs without a server."""
    sweep = sweeps.get(c, sweep_uid)
    task = wanted(c, sweep, now, hungry)
    if task is None or sweep.state not in OPEN:
        return 0
    draws = list(carry_out(task, read_sweep_config(task.config)))
    return sum(keep(c, task, drawn, now) for drawn in draws)
