"""Making, steering and removing sweeps."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy import Connection

from besom.common.ids import check_entity_name, check_project_name, new_id
from besom.engine import states
from besom.engine.endings import Final
from besom.engine.known_points import params_of
from besom.engine.records import Run, Sweep
from besom.errors import NotFound, UsageError
from besom.operations import searchers
from besom.operations.settling import end_run, move_sweep, settle
from besom.space import params_hash
from besom.store import events, projects, runs, sweeps
from besom.sweep_config import SweepConfig, read_sweep_config
from besom.wire.runs import RunState
from besom.wire.sweeps import EditSweep, NewSweep

DEFAULT_PROJECT = "uncategorized"
MOST_PRIOR_RUNS = 1000
# The databases' largest whole number; a grid may have more points than that.
MOST_POINTS = 2**63 - 1
_STOPPED = "stopped by a person"
_CANCELED = "the sweep was canceled"


def create(c: Connection, request: NewSweep, *, entity: str, now: float, config: SweepConfig | None = None) -> str:
    """Makes a sweep and returns its id; the same ``request_id`` twice is the same sweep.

    ``config``: what `read` made of the request, where that was done before, as it may take seconds. Raises
    SweepConfigError with all problems of the config, UsageError for impossible names.
    """
    if (made := sweeps.by_request(c, request.request_id)) is not None:
        return made
    config = config or read(request)
    entity = check_entity_name(config.entity or entity)
    project = check_project_name(config.project or request.default_project or DEFAULT_PROJECT)
    project_id = projects.get_or_make(c, entity, project, now)
    seed = random.SystemRandom().randrange(2**31) if config.seed is None else config.seed
    living = searchers.build(config, seed)
    size = living.searcher.size()
    uid = _fresh_uid(c)
    prior_runs = list(dict.fromkeys([*config.prior_runs, *request.prior_runs]))
    points, notes = _prior_points(c, project_id, config, prior_runs)
    sweep_id = sweeps.add(
        c,
        config.metric,
        config.retry,
        uid=uid,
        project_id=project_id,
        request_id=request.request_id,
        name=config.name or uid,
        description=config.description,
        method=config.method,
        config=config.raw,
        config_text=request.text if request.text is not None else sweeps.as_text(config.raw),
        program=config.program,
        notes=[note.sentence for note in config.notes] + notes,
        run_cap=config.run_cap,
        time_cap_s=config.time_cap_s,
        compute_cap_s=config.compute_cap_s,
        plateau_runs=config.plateau_runs,
        seed=seed,
        size=None if size is None else min(size, MOST_POINTS),
        created=now,
        updated=now,
    )
    runs.add_tried(c, [{"sweep_id": sweep_id, **point} for point in points])
    searchers.keep(c, uid, living)
    events.tell(c, "sweep.created", now, sweep=uid, name=config.name or uid, entity=entity, project=project)
    return uid


def read(request: NewSweep) -> SweepConfig:
    """What the request asks for; raises SweepConfigError with all problems, UsageError without a config."""
    if request.text is None and request.config is None:
        raise UsageError("a new sweep needs its config: give `text` (YAML or JSON) or `config` (an object)")
    overrides = {
        "name": request.name,
        "program": request.program,
        "project": request.project,
        "entity": request.entity,
    }
    source = request.config if request.text is None else request.text
    return read_sweep_config(source, format=request.format, file=request.file, overrides=overrides)


def _fresh_uid(c: Connection) -> str:
    while True:
        uid = new_id()
        if not sweeps.uid_taken(c, uid):
            return uid


def _prior_points(
    c: Connection, project_id: int, config: SweepConfig, names: list[str]
) -> tuple[list[dict[str, object]], list[str]]:
    """The points at which runs stand that were there before the sweep, and remarks on those that do not count."""
    if len(names) > MOST_PRIOR_RUNS:
        raise UsageError(f"{len(names)} prior runs are too many: name at most {MOST_PRIOR_RUNS}")
    points: list[dict[str, object]] = []
    notes = []
    for name in names:
        run = runs.by_name(c, project_id, name)
        if run is None:
            raise NotFound(f"prior run {name} is not in the project: name runs of the sweep's own project")
        params = params_of(config.space, {**runs.config_of(c, run.id), **run.params})
        if params is None:
            notes.append(f"prior run {name} does not count: it lacks a swept parameter, or has a value outside of it")
            continue
        points.append({"params_hash": params_hash(params), "why": "prior", "run_uid": run.uid, "params": params})
    return points, notes


def edit(c: Connection, uid: str, change: EditSweep, now: float) -> None:
    """Changes name, description or run cap; raises NotFound, UsageError for an impossible cap."""
    sweep = sweeps.get(c, uid)
    values: dict[str, Any] = {}
    if change.name is not None:
        values["name"] = change.name or uid
    if change.description is not None:
        values["description"] = change.description
    if change.run_cap is not None:
        if change.run_cap < 0:
            raise UsageError(f"run_cap must be 1 or more, not {change.run_cap}; 0 lifts the cap")
        values["run_cap"] = change.run_cap or None
    if values:
        sweeps.change(c, sweep.id, now, **values)
        events.tell(c, "sweep.changed", now, sweep=uid, state=sweep.state, **values)
        settle(c, sweep.id, now)


def pause(c: Connection, uid: str, now: float) -> None:
    """Hands out no runs until `resume`; those that run go on. Raises Refused for a sweep that has ended."""
    sweep = sweeps.get(c, uid)
    states.check_pause(uid, sweep.state)
    if sweep.state != "paused":
        move_sweep(c, sweep, "paused", None, now)


def resume(c: Connection, uid: str, now: float) -> None:
    """Opens a sweep again, from any state. Runs that were preempted after it was stopped wait for a hand-out again."""
    sweep = sweeps.get(c, uid)
    if sweep.state in ("running", "pending"):
        return
    ended = sweep.state in ("finished", "canceled")
    move_sweep(c, sweep, "running" if sweep.created_runs else "pending", None, now)
    # Who wants more after a plateau wants as many runs again.
    sweeps.add_to_counters(c, sweep.id, {"since_best": -sweep.since_best} if ended else {})
    if ended:
        for run in runs.of_sweep(c, sweep.id, ["preempted"]):
            if run.by_sweep and run.waiting_since is None:
                runs.move(c, run, "preempted", "the sweep was resumed", waiting_since=now)


def stop(c: Connection, uid: str, now: float) -> None:
    """No new runs: those that run finish, those that wait are killed. Raises Refused for a sweep that has ended."""
    sweep = sweeps.get(c, uid)
    states.check_end(uid, sweep.state)
    move_sweep(c, sweep, "finished", _STOPPED, now)
    _kill_waiting(c, sweep, f"the sweep was {_STOPPED}", now)


def cancel(c: Connection, uid: str, now: float) -> None:
    """Ends a sweep with all its runs. Raises Refused for a sweep that has ended."""
    sweep = sweeps.get(c, uid)
    states.check_end(uid, sweep.state)
    move_sweep(c, sweep, "canceled", "canceled by a person", now)
    _kill_waiting(c, sweep, _CANCELED, now)
    for run in runs.of_sweep(c, sweep.id, ["running"]):
        order_kill(c, run, _CANCELED, now)


def order_kill(c: Connection, run: Run, reason: str, now: float) -> None:
    """Asks the watcher of a running run to kill it."""
    runs.change(c, run.id, stop_wanted="kill", stop_reason=reason)
    sweep = runs.owner(c, run)
    events.tell(c, "run.stop", now, sweep=sweep, run=run.uid, name=run.name, reason=reason, order="kill")


def _kill_waiting(c: Connection, sweep: Sweep, reason: str, now: float) -> None:
    for run in runs.of_sweep(c, sweep.id, ["queued", "preempted"]):
        end_run(c, run, sweep, Final(run.state, "killed", reason), now)


def delete(c: Connection, uid: str, now: float) -> None:
    """Removes a sweep and its runs; agents finish what they have in their hands and go. Raises NotFound."""
    sweep = sweeps.get(c, uid)
    sweeps.remove(c, sweep.id)
    searchers.forget(c, uid)
    events.tell(c, "sweep.deleted", now, sweep=uid, name=sweep.name)


def rerun(c: Connection, uid: str, failed: bool, crashed: bool, now: float) -> list[str]:
    """Queues failed or crashed runs again, opens the sweep if it has ended, and returns the names of the runs."""
    sweep = sweeps.get(c, uid)
    wanted: list[RunState] = [*(["failed"] if failed else []), *(["crashed"] if crashed else [])]  # type: ignore[list-item]
    again = [run for run in runs.of_sweep(c, sweep.id, wanted) if run.by_sweep]
    for run in again:
        queue_again(c, run, now)
    if again:
        reopen(c, sweep.id, now)
    return [run.name for run in again]


def queue_again(c: Connection, run: Run, now: float) -> None:
    """Makes a run wait for its next attempt."""
    runs.move(
        c,
        run,
        "queued",
        "a person asked for it again",
        waiting_since=now,
        ended=None,
        stop_wanted=None,
        stop_reason=None,
    )
    events.tell(
        c, "run.ended", now, sweep=runs.owner(c, run), run=run.uid, name=run.name, state="queued",
        attempt=run.attempt, reason="a person asked for it again", again=True,
    )  # fmt: skip


def reopen(c: Connection, sweep_id: int, now: float) -> None:
    """Opens a sweep that has ended."""
    sweep = sweeps.by_id(c, sweep_id)
    if sweep.state not in states.OPEN:
        move_sweep(c, sweep, "running", None, now)
