"""What happens to runs. ``base_url`` goes in front of page addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from besom.common.ids import check_entity_name, check_project_name, check_run_name, check_uid
from besom.engine import remarks
from besom.engine.endings import Final, Report, ending
from besom.engine.records import Agent, Attempt, Run, Sweep
from besom.engine.states import check_rerun
from besom.errors import Refused, UsageError
from besom.operations import searchers
from besom.operations.claims import claim, claim_for
from besom.operations.leases import lease_s, run_heartbeat_s
from besom.operations.recording import append, append_last, go_on_at_the_end
from besom.operations.settling import circumstances, conclude, end_run, settle, sweep_of, take_back, tell_start
from besom.operations.sweeps import order_kill, queue_again, reopen
from besom.store import addresses, agents, events, projects, runs, streams, summaries, sweeps
from besom.store.database import refetchable
from besom.wire.runs import FinishAnswer, FinishRun, NewRun, RunHeartbeatAnswer, StartedRun

__all__ = ["append", "claim", "delete", "finish", "heartbeat", "kill", "rerun", "start"]

_KILLED = "killed by a person"


def start(c: Connection, new: NewRun, entity: str, now: float, base_url: str = "") -> StartedRun:
    """Starts a run that no agent started; the same ``uid`` twice is the same run, with what the later one adds.

    Raises UsageError for impossible names, NotFound for an unknown sweep, Refused for a name that is taken.
    """
    run = runs.find(c, new.uid)
    if run is None:
        run = _start(c, new, entity, now)
    else:
        runs.change(c, run.id, **_given(new))
        run = runs.by_id(c, run.id)
    owner, project = projects.names(c, run.project_id)
    return StartedRun(
        uid=run.uid,
        name=run.name,
        display_name=run.display_name,
        entity=owner,
        project=project,
        attempt=run.attempt,
        url=addresses.run_page(base_url, owner, project, run.name),
        heartbeat_s=run_heartbeat_s(c),
    )


def _given(new: NewRun) -> dict[str, Any]:
    values = {
        "display_name": new.display_name,
        "group_name": new.group,
        "job_type": new.job_type,
        "notes": new.notes,
        "tags": new.tags or None,
        "host": new.host,
    }
    return {name: value for name, value in values.items() if value is not None}


def _start(c: Connection, new: NewRun, entity: str, now: float) -> Run:
    uid = check_uid(new.uid)
    sweep = None if new.sweep_id is None else sweeps.get(c, new.sweep_id)
    if sweep is not None:
        project_id = sweep.project_id
    else:
        owner, project = check_entity_name(new.entity or entity), check_project_name(new.project)
        project_id = projects.get_or_make(c, owner, project, now)
    name = None if new.name is None else check_run_name(new.name)
    if name is not None and runs.by_name(c, project_id, name) is not None:
        raise Refused(f"a run {name} is in the project already: give another id, or none")
    run = runs.add(
        c,
        now=now,
        uid=uid,
        project_id=project_id,
        sweep_id=None if sweep is None else sweep.id,
        name=name,
        state="running",
        attempt=1,
        started=now,
        **_given(new),
    )
    runs.add_attempt(c, run, agent_id=None, host=new.host, lease_until=now + lease_s(c), started=now)
    of = None if sweep is None else sweep.uid
    events.tell(c, "run.created", now, sweep=of, run=run.uid, name=run.name, display_name=run.display_name, params={})
    tell_start(c, run, of, 1, now, None)
    return run


@refetchable
def heartbeat(c: Connection, run_uid: str, attempt: int, now: float) -> RunHeartbeatAnswer:
    """A run without an agent says that it lives; the answer tells when it should end. Raises NotFound."""
    run, which = runs.get_both(c, run_uid, attempt)
    if which.number != run.attempt:
        return RunHeartbeatAnswer(stop=f"the run was taken over by its attempt {run.attempt}")
    if which.state == "lost":
        take_back(c, run, which, now)
    elif which.state == "running":
        runs.change_attempt(c, which.id, lease_until=now + lease_s(c))
    return RunHeartbeatAnswer(stop=run.stop_reason if run.stop_wanted is not None else None)


def finish(
    c: Connection, run_uid: str, attempt: int, report: FinishRun, now: float, base_url: str = ""
) -> FinishAnswer:
    """Takes note how an attempt ended and answers what became of its run; a second report changes nothing.

    The rest of its rows is taken in before, the agent's next run is handed out after: all of it is done or nothing.
    Raises NotFound, Refused while rows of the attempt are still missing, UsageError for an ask without an agent.
    """
    run, which = runs.get_both(c, run_uid, attempt)
    if report.next is not None and which.agent_id is None:
        raise UsageError(f"run {run.name} has no agent that could take another run: leave out `next`")
    here: dict[str, int] = {}
    for path, last in report.rest.items():
        here[path], _, run, which = append_last(c, run, which, path, last.offset, last.data, now)
    sweep = sweep_of(c, run)
    agent: Agent | None = None
    if which.number != run.attempt:
        runs.change_attempt(c, which.id, exit_code=report.exit_code, signal=report.signal)
        answer = FinishAnswer(state=run.state, current=False, warnings=[])
    else:
        if which.state in ("running", "lost"):
            run, agent = _end(c, run, which, sweep, report, here, now)
        answer = FinishAnswer(state=run.state, current=True, warnings=list(run.warnings), score=run.score)
    if sweep is not None and sweep.metric is not None and (best := sweeps.best_run(c, sweep.id)) is not None:
        answer.best_run, answer.best_score = best
    if report.next is not None and which.agent_id is not None:
        answer.next = claim_for(c, agent or agents.by_id(c, which.agent_id), report.next, now, base_url)
    return answer


def _end(
    c: Connection, run: Run, which: Attempt, sweep: Sweep | None, report: FinishRun, here: Mapping[str, int], now: float
) -> tuple[Run, Agent | None]:
    """Ends the attempt that counts, also for its agent; raises Refused while rows are missing.

    ``here`` says how many bytes are known to be here of streams.
    """
    _check_offsets(c, run, which, {path: end for path, end in report.offsets.items() if here.get(path, 0) < end})
    if which.state == "lost":
        run, which = take_back(c, run, which, now)
        sweep = sweep_of(c, run)
    decision = ending(
        Report(
            exit_code=report.exit_code,
            signal=report.signal,
            stopped_by=report.stopped_by,
            preempting=report.preempting or which.preempting,
            script_exit=which.script_exit,
        ),
        circumstances(c, run, which, sweep),
    )
    if decision.attempt_state == "finished":
        run = go_on_at_the_end(c, run, which, now)
    if decision.attempt_state == "finished" and sweep is not None:
        run = _remark(c, run, sweep, now)
    agent: Agent | None = None
    if which.agent_id is not None:
        unhappy = decision.attempt_state in ("failed", "crashed")
        reason = report.error or which.script_error or decision.reason
        agent = agents.count_end(c, which.agent_id, unhappy, reason, now)
    run = conclude(
        c,
        run,
        which,
        sweep,
        decision,
        now,
        told=(report.error or which.script_error) if decision.attempt_state != "finished" else None,
        exit_code=report.exit_code,
        signal=report.signal,
    )
    return run, agent


def _check_offsets(c: Connection, run: Run, attempt: Attempt, offsets: Mapping[str, int]) -> None:
    for path, wanted in offsets.items():
        writer, _, kind = path.rpartition("/")
        stream = streams.find(c, attempt.id, writer, kind)
        here = 0 if stream is None else stream.next_offset
        spoiled = stream is not None and stream.broken is not None
        if here < wanted and not spoiled:
            raise Refused(
                f"run {run.name} cannot end yet: {here} of {wanted} bytes of its stream {path} are here, send the rest"
            )


def _remark(c: Connection, run: Run, sweep: Sweep, now: float) -> Run:
    """What looks wrong with a run that has finished: swept names that nobody read, a metric that nobody logged."""
    sentences: list[str] = []
    if run.reads is not None and run.by_sweep:
        swept = searchers.living(c, sweep).config.space.swept_names
        sentences += remarks.never_read(swept, set(run.reads))
    if sweep.metric is not None and run.score is None:
        sentences.append(_remark_on_metric(c, run, sweep, sweep.metric.name, now))
    return runs.set_warnings(c, run, [*run.warnings, *sentences])


def _remark_on_metric(c: Connection, run: Run, sweep: Sweep, metric: str, now: float) -> str:
    """Why a finished run has no score. That the metric was never logged is told of the sweep too: it will go on so."""
    logged = summaries.logged_keys(c, run.id)
    if metric in logged:
        return remarks.metric_without_number(metric, summaries.last_of(c, run.id, metric))
    sentence = remarks.metric_never_logged(metric, logged)
    if not any(note.startswith(sentence.split(";")[0]) for note in sweep.notes):
        sweeps.change(c, sweep.id, now, notes=[*sweep.notes, sentence])
    return sentence


def rerun(c: Connection, run_uid: str, now: float) -> None:
    """Queues a run that has ended for its next attempt and opens its sweep. Raises NotFound, Refused."""
    run = runs.get(c, run_uid)
    check_rerun(run.name, "queued" if run.waiting_since is not None else run.state, run.by_sweep)
    queue_again(c, run, now)
    if run.sweep_id is not None:
        reopen(c, run.sweep_id, now)


def kill(c: Connection, run_uid: str, now: float) -> None:
    """Ends a run: at once if it waits, else by its watcher. Raises NotFound, Refused for a run that has ended."""
    run = runs.get(c, run_uid)
    if run.waiting_since is not None:
        end_run(c, run, sweep_of(c, run), Final(run.state, "killed", _KILLED), now)
    elif run.state == "running":
        order_kill(c, run, _KILLED, now)
    else:
        raise Refused(f"run {run.name} has ended already: {run.state}")


def delete(c: Connection, run_uid: str, now: float) -> None:
    """Removes a run with its history; its point is not handed out again. Raises NotFound."""
    run = runs.get(c, run_uid)
    sweep = runs.owner(c, run)
    runs.remove(c, run)
    events.tell(c, "run.deleted", now, sweep=sweep, run=run_uid, name=run.name)
    settle(c, run.sweep_id, now)
