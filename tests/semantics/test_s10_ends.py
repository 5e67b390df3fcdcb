"""Section 10.1 and 10.7: when a sweep ends, and runs that were there before it."""

from __future__ import annotations

from typing import Any

import pytest

from besom.errors import NotFound, UsageError
from besom.operations import housekeeping, runs, sweeps
from besom.wire.agents import Finish, HandOut, Wait
from besom.wire.sweeps import EditSweep

HEAD = "{method: random, seed: 1, project: shapes, program: a.py, metric: {name: loss}, "
FREE = HEAD + "parameters: {lr: {min: 0.0, max: 1.0}}"
TWO = "{method: grid, project: shapes, program: a.py, metric: {name: loss}, parameters: {a: {values: [1, 2]}}}"


def work_off(hand: Any, agent: str, loss: float = 1.0) -> list[HandOut]:
    """Trains everything that the agent gets."""
    done = []
    while isinstance(answer := hand.claim(agent), HandOut):
        hand.log(answer.uid, answer.attempt, [(0, {"loss": loss})])
        hand.finish(answer.uid, answer.attempt)
        done.append(answer)
    return done


def test_s10_1_a_grid_ends_when_it_is_exhausted(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    assert len(work_off(sqlite_hand, sqlite_hand.agent(sweep))) == 6
    state = sqlite_hand.state(sweep)
    assert (state.state, state.ended_reason) == ("finished", "grid exhausted: 6 of 6 points")
    assert state.ended is not None


def test_s10_1_a_finite_random_search_ends_when_it_is_exhausted(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep("{method: random, program: a.py, parameters: {a: {values: [1, 2, 3]}}}")
    done = work_off(sqlite_hand, sqlite_hand.agent(sweep))
    assert sorted(run.params["a"] for run in done) == [1, 2, 3]
    assert sqlite_hand.state(sweep).ended_reason == "random search exhausted: 3 of 3 points"


def test_s10_1_the_run_cap_counts_the_runs_of_all_agents(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep(FREE + ", run_cap: 3}")
    one, two = sqlite_hand.agent(sweep), sqlite_hand.agent(sweep)
    first = sqlite_hand.take(one)
    assert (first.number, first.total) == (1, 3)
    sqlite_hand.finish(first.uid, exit_code=1)
    assert len(work_off(sqlite_hand, two)) == 2
    state = sqlite_hand.state(sweep)
    assert (state.state, state.ended_reason) == ("finished", "run cap of 3 reached")


def test_s10_1_a_removed_run_counts_to_the_cap(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep(FREE + ", run_cap: 1}")
    agent = sqlite_hand.agent(sweep)
    sqlite_hand.do(runs.delete, sqlite_hand.take(agent).uid)
    assert isinstance(sqlite_hand.claim(agent), Finish)


def test_s10_1_a_reached_target_ends_the_sweep_and_running_runs_go_on(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep(
        "{method: random, program: a.py, metric: {name: loss, target: 0.1}, parameters: {lr: {min: 0.0, max: 1.0}}}"
    )
    agent = sqlite_hand.agent(sweep)
    good, slow = sqlite_hand.take(agent), sqlite_hand.take(agent)
    sqlite_hand.log(good.uid, 1, [(0, {"loss": 0.09})])
    waiting = sqlite_hand.claim(agent)
    assert isinstance(waiting, Wait)
    assert waiting.reason.endswith("the last 2 runs are still training with other agents")
    sqlite_hand.finish(good.uid)
    assert sqlite_hand.beat(agent, slow).orders == []
    sqlite_hand.finish(slow.uid)
    state = sqlite_hand.state(sweep)
    assert (state.state, state.ended_reason) == (
        "finished",
        f"target reached: loss 0.09 ≤ 0.1 by run {good.name}",
    )
    assert (state.best_run, state.best_score) == (good.name, 0.09)


def test_s10_1_a_time_cap_counts_from_the_first_run_and_needs_no_agent(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep(FREE + ", time_cap: 8h}")
    sqlite_hand.clock.pass_s(100_000)
    run = sqlite_hand.take(sqlite_hand.agent(sweep))
    sqlite_hand.finish(run.uid)
    sqlite_hand.do(housekeeping.expire_leases)
    assert sqlite_hand.state(sweep).state == "running"
    sqlite_hand.clock.pass_s(8 * 3600)
    sqlite_hand.do(housekeeping.expire_leases)
    assert sqlite_hand.state(sweep).ended_reason == "time cap of 8h reached"


def test_s10_1_a_sweep_is_not_finished_while_a_run_waits_for_its_next_attempt(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep(TWO)
    agent = sqlite_hand.agent(sweep)
    first, second = sqlite_hand.take(agent), sqlite_hand.take(agent)
    sqlite_hand.finish(first.uid, signal=9)
    sqlite_hand.finish(second.uid)
    assert sqlite_hand.state(sweep).state == "running"
    again = sqlite_hand.take(agent)
    assert (again.uid, again.attempt) == (first.uid, 2)
    sqlite_hand.finish(again.uid, 2)
    assert sqlite_hand.state(sweep).state == "finished"


def test_s10_1_a_raised_run_cap_lets_a_resumed_sweep_go_on(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep(FREE + ", run_cap: 1}")
    agent = sqlite_hand.agent(sweep)
    work_off(sqlite_hand, agent)
    sqlite_hand.do(sweeps.edit, sweep, EditSweep(run_cap=3, name="more", description="again"))
    sqlite_hand.do(sweeps.resume, sweep)
    assert len(work_off(sqlite_hand, agent)) == 2
    state = sqlite_hand.state(sweep)
    assert (state.name, state.description, state.run_cap) == ("more", "again", 3)


def test_s10_1_a_lowered_run_cap_ends_the_sweep(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep(FREE + "}")
    sqlite_hand.finish(sqlite_hand.take(sqlite_hand.agent(sweep)).uid)
    sqlite_hand.do(sweeps.edit, sweep, EditSweep(run_cap=1))
    assert sqlite_hand.state(sweep).ended_reason == "run cap of 1 reached"
    sqlite_hand.do(sweeps.edit, sweep, EditSweep(run_cap=0))
    assert sqlite_hand.state(sweep).run_cap is None


def test_s10_7_prior_runs_count_as_tried(sqlite_hand: Any) -> None:
    old = sqlite_hand.sweep(TWO)
    agent = sqlite_hand.agent(old)
    names = [run.name for run in work_off(sqlite_hand, agent)]
    sweep = sqlite_hand.sweep(TWO.replace("[1, 2]", "[1, 2, 3]"), prior_runs=names)
    (run,) = work_off(sqlite_hand, sqlite_hand.agent(sweep))
    assert (run.params, run.total) == ({"a": 3}, 3)
    assert sqlite_hand.state(sweep).state == "finished"


def test_s10_7_prior_runs_of_the_file_and_of_the_request_count_together(sqlite_hand: Any) -> None:
    one, two = [run.name for run in work_off(sqlite_hand, sqlite_hand.agent(sqlite_hand.sweep(TWO)))]
    text = TWO.replace("[1, 2]", "[1, 2, 3]").replace("{method", f"{{prior_runs: [{one}, {one}], method")
    sweep = sqlite_hand.sweep(text, prior_runs=[two, one])
    (run,) = work_off(sqlite_hand, sqlite_hand.agent(sweep))
    assert run.params == {"a": 3}


def test_s10_7_more_than_1000_prior_runs_are_refused(sqlite_hand: Any) -> None:
    with pytest.raises(UsageError, match="1001 prior runs are too many"):
        sqlite_hand.sweep(TWO, prior_runs=[f"run{number}" for number in range(1001)])


def test_s10_7_a_script_run_by_hand_counts_by_its_config(sqlite_hand: Any) -> None:
    run = sqlite_hand.start(name="by-hand")
    sqlite_hand.note(run, 1, {"t": "config", "set": {"a": 1, "other": "x"}})
    sweep = sqlite_hand.sweep(TWO, prior_runs=["by-hand"])
    assert sqlite_hand.take(sqlite_hand.agent(sweep)).params == {"a": 2}


def test_s10_7_a_prior_run_without_a_swept_parameter_is_passed_over_and_named(sqlite_hand: Any) -> None:
    sqlite_hand.start(name="other")
    sweep = sqlite_hand.sweep(TWO, prior_runs=["other"])
    assert sqlite_hand.state(sweep).notes[-1].startswith("prior run other does not count")
    assert sqlite_hand.take(sqlite_hand.agent(sweep)).params == {"a": 1}


def test_s10_7_a_prior_run_that_is_not_there_is_refused(sqlite_hand: Any) -> None:
    with pytest.raises(NotFound, match="prior run nobody is not in the project"):
        sqlite_hand.sweep(TWO, prior_runs=["nobody"])
