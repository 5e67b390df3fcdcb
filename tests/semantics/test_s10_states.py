"""Section 10.2 and 10.6: states of sweeps and of runs, preemption and retries."""

from __future__ import annotations

from typing import Any

import pytest

from besom.errors import Refused
from besom.operations import agents, housekeeping, runs, sweeps
from besom.store import agents as stored_agents
from besom.wire.agents import Finish, HandOut, Wait

TWO = "{method: grid, project: shapes, program: a.py, metric: {name: loss}, parameters: {a: {values: [1, 2]}}, "
PLAIN = TWO + "}"


# ---- sweeps


def test_s10_2_a_sweep_is_pending_until_its_first_run(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    assert sqlite_hand.state(sweep).state == "pending"
    agent = sqlite_hand.agent(sweep)
    assert sqlite_hand.state(sweep).state == "pending"
    sqlite_hand.take(agent)
    assert sqlite_hand.state(sweep).state == "running"


def test_s10_2_paused_hands_out_nothing_and_lets_runs_go_on(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    agent = sqlite_hand.agent(sweep)
    run = sqlite_hand.take(agent)
    sqlite_hand.do(sweeps.pause, sweep)
    answer = sqlite_hand.claim(agent)
    assert isinstance(answer, Wait)
    assert "paused" in answer.reason
    beat = sqlite_hand.beat(agent, run)
    assert (beat.orders, beat.agent, beat.sweep_state) == ([], "go on", "paused")
    sqlite_hand.do(sweeps.resume, sweep)
    assert isinstance(sqlite_hand.claim(agent), HandOut)


def test_s10_2_a_sweep_paused_before_its_first_run_is_pending_again(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    sqlite_hand.do(sweeps.pause, sweep)
    sqlite_hand.do(sweeps.pause, sweep)
    sqlite_hand.do(sweeps.resume, sweep)
    assert sqlite_hand.state(sweep).state == "pending"


def test_s10_2_stop_lets_runs_finish_and_kills_what_waits(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    agent = sqlite_hand.agent(sweep)
    running, waiting = sqlite_hand.take(agent), sqlite_hand.take(agent)
    sqlite_hand.finish(waiting.uid, exit_code=1, preempting=True)
    sqlite_hand.do(sweeps.stop, sweep)
    state = sqlite_hand.state(sweep)
    assert (state.state, state.ended_reason) == ("finished", "stopped by a person")
    killed = sqlite_hand.run(waiting.uid)
    assert (killed.state, killed.stop_reason) == ("killed", "the sweep was stopped by a person")
    assert sqlite_hand.beat(agent, running).orders == []
    assert sqlite_hand.finish(running.uid).state == "finished"
    answer = sqlite_hand.claim(agent)
    assert isinstance(answer, Finish)
    assert (answer.why, answer.reason) == ("finished", "stopped by a person")


def test_s10_2_cancel_kills_everything(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    agent = sqlite_hand.agent(sweep)
    run = sqlite_hand.take(agent)
    sqlite_hand.do(sweeps.cancel, sweep)
    beat = sqlite_hand.beat(agent, run)
    assert beat.agent == "exit"
    assert [(order.uid, order.order) for order in beat.orders] == [(run.uid, "kill")]
    assert sqlite_hand.finish(run.uid, signal=9, stopped_by="cancel").state == "killed"
    assert sqlite_hand.run(run.uid).stop_reason == "the sweep was canceled"
    assert sqlite_hand.claim(agent).why == "canceled"
    assert sqlite_hand.state(sweep).state == "canceled"


@pytest.mark.parametrize("end", [sweeps.stop, sweeps.cancel])
def test_s10_2_an_ended_sweep_takes_no_agent_and_no_second_end(sqlite_hand: Any, end: Any) -> None:
    sweep = sqlite_hand.sweep()
    sqlite_hand.do(end, sweep)
    with pytest.raises(Refused, match="is not running"):
        sqlite_hand.agent(sweep)
    with pytest.raises(Refused, match="Sweep already"):
        sqlite_hand.do(sweeps.stop, sweep)
    with pytest.raises(Refused, match="Cannot pause"):
        sqlite_hand.do(sweeps.pause, sweep)


@pytest.mark.parametrize("end", [sweeps.pause, sweeps.stop, sweeps.cancel])
def test_s10_2_resume_opens_a_sweep_from_any_state(sqlite_hand: Any, end: Any) -> None:
    sweep = sqlite_hand.sweep()
    agent = sqlite_hand.agent(sweep)
    sqlite_hand.finish(sqlite_hand.take(agent).uid)
    sqlite_hand.do(end, sweep)
    sqlite_hand.do(sweeps.resume, sweep)
    state = sqlite_hand.state(sweep)
    assert (state.state, state.ended_reason, state.ended) == ("running", None, None)
    assert isinstance(sqlite_hand.claim(agent), HandOut)


def test_s10_2_an_agent_that_is_turned_off_gets_no_more(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    agent = sqlite_hand.agent(sweep)
    run = sqlite_hand.take(agent)
    sqlite_hand.do(agents.turn_off, agent, False)
    assert sqlite_hand.beat(agent, run).agent == "off"
    assert sqlite_hand.claim(agent).why == "turned off"
    sqlite_hand.do(agents.turn_off, agent, True)
    assert sqlite_hand.beat(agent, run).agent == "off now"
    sqlite_hand.do(agents.end, agent, "turned off")
    (row,) = sqlite_hand.database.read_now(stored_agents.rows, sqlite_hand.clock(), sweep)
    assert (row.state, row.ended_reason, row.running) == ("ended", "turned off", [run.name])


# ---- runs


@pytest.mark.parametrize(
    ("marked", "report", "state"),
    [
        (False, {"exit_code": 0}, "finished"),
        (False, {"exit_code": 1}, "failed"),
        (False, {"signal": 2}, "killed"),
        (False, {"signal": 15}, "queued"),
        (True, {"exit_code": 0}, "finished"),
        (True, {"exit_code": 1}, "preempted"),
        (True, {"signal": 9}, "preempted"),
        (True, {"signal": 2}, "preempted"),
        (True, {"signal": 15}, "preempted"),
    ],
)
def test_s10_6_the_table_of_endings(sqlite_hand: Any, marked: bool, report: dict[str, int], state: str) -> None:
    run = sqlite_hand.take(sqlite_hand.agent(sqlite_hand.sweep()))
    if marked:
        sqlite_hand.note(run.uid, 1, {"t": "preempting"})
    assert sqlite_hand.finish(run.uid, **report).state == state


def test_s10_6_a_script_that_ends_with_a_code_of_its_own_has_failed(sqlite_hand: Any) -> None:
    run = sqlite_hand.take(sqlite_hand.agent(sqlite_hand.sweep()))
    sqlite_hand.note(run.uid, 1, {"t": "exit", "code": 1, "error": "ValueError: no"})
    assert sqlite_hand.finish(run.uid, exit_code=0).state == "failed"
    assert sqlite_hand.run(run.uid).error == "ValueError: no"


def test_s10_6_a_preempted_run_comes_back_before_new_points_with_its_params(sqlite_hand: Any) -> None:
    agent = sqlite_hand.agent(sqlite_hand.sweep())
    first = sqlite_hand.take(agent)
    sqlite_hand.finish(first.uid, exit_code=1, preempting=True)
    again = sqlite_hand.take(agent)
    assert (again.uid, again.name, again.params, again.attempt) == (first.uid, first.name, first.params, 2)
    assert again.resumed


def test_s10_6_a_preempted_run_goes_to_one_agent_only(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    one, two = sqlite_hand.agent(sweep), sqlite_hand.agent(sweep)
    first = sqlite_hand.take(one)
    sqlite_hand.finish(first.uid, exit_code=1, preempting=True)
    assert [sqlite_hand.take(agent).uid == first.uid for agent in (one, two)] == [True, False]


def test_s10_6_a_run_that_a_signal_ended_gets_two_further_attempts(sqlite_hand: Any) -> None:
    agent = sqlite_hand.agent(sqlite_hand.sweep())
    run = sqlite_hand.take(agent)
    for attempt, state in ((1, "queued"), (2, "queued"), (3, "crashed")):
        assert sqlite_hand.finish(run.uid, attempt, signal=9).state == state
        if state == "queued":
            assert sqlite_hand.take(agent).uid == run.uid
    assert sqlite_hand.run(run.uid).error == "ended by SIGKILL"


def test_s10_6_a_failed_run_gets_as_many_attempts_as_retry_says(sqlite_hand: Any) -> None:
    agent = sqlite_hand.agent(sqlite_hand.sweep(TWO + "retry: {failed: 1}}"))
    run = sqlite_hand.take(agent)
    assert sqlite_hand.finish(run.uid, 1, exit_code=1).state == "queued"
    assert sqlite_hand.take(agent).uid == run.uid
    assert sqlite_hand.finish(run.uid, 2, exit_code=1, error="boom").state == "failed"
    answer = sqlite_hand.run(run.uid)
    assert answer.error == "boom"
    assert [attempt.state for attempt in answer.attempts] == ["failed", "failed"]


def test_s10_6_a_run_without_an_agent_crashes_when_it_is_silent_and_comes_back(sqlite_hand: Any) -> None:
    run = sqlite_hand.start()
    sqlite_hand.clock.pass_s(61)
    sqlite_hand.do(housekeeping.expire_leases)
    assert sqlite_hand.run(run).state == "crashed"
    assert sqlite_hand.do(runs.heartbeat, run, 1).stop is None
    assert sqlite_hand.run(run).state == "running"
    assert sqlite_hand.finish(run).state == "finished"


def test_s10_6_an_end_that_is_reported_after_the_lease_was_lost_counts(sqlite_hand: Any) -> None:
    run = sqlite_hand.start()
    sqlite_hand.clock.pass_s(61)
    sqlite_hand.do(housekeeping.expire_leases)
    assert sqlite_hand.finish(run, exit_code=0).state == "finished"
    assert sqlite_hand.run(run).error is None


def test_s10_6_a_preempted_run_of_a_stopped_sweep_waits_again_when_it_is_resumed(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    agent = sqlite_hand.agent(sweep)
    run = sqlite_hand.take(agent)
    sqlite_hand.do(sweeps.stop, sweep)
    assert sqlite_hand.finish(run.uid, exit_code=1, preempting=True).state == "preempted"
    sqlite_hand.do(sweeps.resume, sweep)
    assert sqlite_hand.take(agent).uid == run.uid


def test_s10_6_decide_best_counts_finished_and_stopped_runs_only(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    agent = sqlite_hand.agent(sweep)
    for loss, report in (
        (0.01, {"exit_code": 1}),
        (0.3, {"exit_code": 0}),
        (0.2, {"signal": 15, "stopped_by": "stop"}),
        (0.02, {"signal": 15, "stopped_by": "interrupt"}),
    ):
        run = sqlite_hand.take(agent)
        sqlite_hand.log(run.uid, 1, [(0, {"loss": loss})])
        sqlite_hand.finish(run.uid, **report)
    still = sqlite_hand.take(agent)
    sqlite_hand.log(still.uid, 1, [(0, {"loss": 0.001})])
    state = sqlite_hand.state(sweep)
    assert state.best_score == 0.2
    assert (state.runs.finished, state.runs.stopped, state.runs.failed, state.runs.killed) == (1, 1, 1, 1)
