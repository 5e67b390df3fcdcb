from __future__ import annotations

from typing import Any

import pytest

from besom.engine.ahead import Drawn
from besom.operations import runs, suggesting, sweeps
from besom.search import SearchInfo
from besom.space import params_hash
from besom.store import run_answers, suggestions
from besom.store import sweeps as stored
from besom.wire.agents import Finish, HandOut, Wait

TPE = """
method: tpe
seed: 3
project: shapes
program: train.py
metric: {name: loss, goal: maximize}
parameters: {lr: {min: 0.0, max: 1.0}, size: {values: [1, 2, 3]}}
"""
SMALL = """
method: tpe
seed: 3
project: shapes
program: train.py
metric: {name: loss, goal: minimize}
parameters: {a: {values: [1, 2]}, b: {values: [x, y]}}
"""


def made(hand: Any, sweep: str, hungry: int = 1) -> Any:
    return hand.database.write_now(suggesting.suggest_now, sweep, hand.clock(), hungry)


def look(hand: Any, sweep: str, hungry: int = 0) -> Any:
    return hand.database.read_now(lambda c: suggesting.wanted(c, stored.get(c, sweep), hand.clock(), hungry))


def ready(hand: Any, sweep: str) -> Any:
    return hand.database.read_now(lambda c: suggestions.in_order(c, stored.get(c, sweep)))


def train(hand: Any, run: HandOut, loss: float | None) -> None:
    if loss is not None:
        hand.log(run.uid, run.attempt, [(0, {"loss": loss})])
    hand.finish(run.uid, run.attempt, exit_code=0 if loss is not None else 1)


def test_a_claim_waits_until_a_suggestion_was_made_and_takes_its_reason_along(hand: Any) -> None:
    sweep = hand.sweep(TPE)
    agent = hand.agent(sweep)
    answer = hand.claim(agent)
    assert isinstance(answer, Wait)
    assert answer.computing
    assert made(hand, sweep) == 1
    (waiting,) = ready(hand, sweep)
    run = hand.take(agent)
    assert run.params == waiting.params
    info = hand.run(run.uid).search_info
    assert (info["source"], info["seen"], info["warnings"]) == ("initial", [], [])
    assert ready(hand, sweep) == []


def test_a_suggestion_knows_of_the_runs_that_ended_and_of_those_under_way(hand: Any) -> None:
    sweep = hand.sweep(TPE)
    agent = hand.agent(sweep)
    for loss in (0.5, None, 0.25):
        made(hand, sweep)
        train(hand, hand.take(agent), loss)
    made(hand, sweep)
    hand.take(agent)
    task = look(hand, sweep)
    assert [(each.number, each.loss, each.state, each.length) for each in task.observations] == [
        (0, -0.5, "finished", 1),
        (1, None, "failed", 0),
        (2, -0.25, "finished", 1),
        (3, None, "running", 0),
    ]
    assert (task.numbers, task.pending, task.finished_seen) == ([4], [], 3)
    made(hand, sweep)
    run = hand.take(agent)
    assert hand.run(run.uid).search_info["seen"] == [[0, 3]]


def test_as_many_are_made_as_agents_wait_and_no_two_are_the_same(hand: Any) -> None:
    sweep = hand.sweep(TPE)
    assert made(hand, sweep, hungry=9) == suggesting.MOST_AT_ONCE
    while made(hand, sweep, hungry=9):
        pass
    points = [(each.params["lr"], each.params["size"]) for each in ready(hand, sweep)]
    assert len(points) == len(set(points)) == 9


def test_what_misses_more_than_one_ended_run_is_made_again(hand: Any) -> None:
    sweep = hand.sweep(TPE)
    agent = hand.agent(sweep)
    made(hand, sweep, hungry=4)
    first = [hand.take(agent) for _ in range(3)]
    train(hand, first[0], 0.1)
    assert look(hand, sweep) is None
    train(hand, first[1], 0.2)
    assert look(hand, sweep).numbers == [3]
    made(hand, sweep)
    assert [each.finished_seen for each in ready(hand, sweep)] == [2]
    assert look(hand, sweep) is None


def test_the_same_seed_and_runs_give_the_same_suggestions_again(hand: Any) -> None:
    one, other = hand.sweep(TPE), hand.sweep(TPE)
    taken = []
    for sweep in (one, other):
        agent, params = hand.agent(sweep), []
        for loss in (0.4, 0.1, 0.3, 0.9, 0.5, 0.6, 0.2):
            made(hand, sweep)
            params.append(hand.take(agent))
            train(hand, params[-1], loss)
        taken.append([run.params for run in params])
    assert taken[0] == taken[1]


def test_a_small_space_ends_when_each_point_was_a_run(hand: Any) -> None:
    sweep = hand.sweep(SMALL)
    agent = hand.agent(sweep)
    points = []
    for _ in range(4):
        made(hand, sweep)
        points.append(hand.take(agent))
        train(hand, points[-1], 0.5)
    assert len({(run.params["a"], run.params["b"]) for run in points}) == 4
    assert made(hand, sweep) == 0
    answer = hand.claim(agent)
    assert isinstance(answer, Finish)
    assert answer.reason == "tpe search exhausted: 4 of 4 points"


def test_points_that_were_removed_or_tried_before_are_passed_over_to_the_end(hand: Any) -> None:
    first = hand.sweep(SMALL)
    agent = hand.agent(first)
    made(hand, first)
    prior = hand.take(agent)
    train(hand, prior, 0.25)
    sweep = hand.sweep(SMALL.replace("seed: 3", f"seed: 3\nprior_runs: [{prior.name}]"))
    agent = hand.agent(sweep)
    made(hand, sweep)
    gone = hand.take(agent)
    hand.do(runs.delete, gone.uid)
    task = look(hand, sweep)
    assert [(each.params, each.loss) for each in task.observations] == [(prior.params, 0.25)]
    assert task.pending == [gone.params]
    points = [prior, gone]
    made(hand, sweep)
    while isinstance(answer := hand.claim(agent), HandOut):
        points.append(answer)
        train(hand, answer, 0.5)
        made(hand, sweep)
    assert len({(run.params["a"], run.params["b"]) for run in points}) == len(points) == 4
    assert isinstance(answer, Finish)
    assert hand.state(sweep).state == "finished"


def test_what_somebody_else_has_taken_meanwhile_gives_way_to_another_point(hand: Any) -> None:
    sweep = hand.sweep(SMALL)
    agent = hand.agent(sweep)
    task = look(hand, sweep, 2)
    made(hand, sweep)
    run = hand.take(agent)
    digest = params_hash(run.params)
    drawn = Drawn(1, run.params, digest, SearchInfo("model"))
    assert hand.do(suggesting.keep, task, drawn)
    other = hand.take(agent)
    assert other.params != run.params
    assert "by chance" in hand.run(other.uid).search_info["warnings"][0]


def test_a_draw_that_could_not_be_made_is_random_and_says_so(hand: Any) -> None:
    sweep = hand.sweep(TPE)
    task = look(hand, sweep)
    assert hand.do(suggesting.keep_by_chance, task, 0, "the worker was killed")
    run = hand.take(hand.agent(sweep))
    info = hand.run(run.uid).search_info
    assert (info["source"], info["warnings"]) == ("random", ["drawn by chance: the worker was killed"])


@pytest.mark.parametrize("end", [sweeps.stop, sweeps.cancel, sweeps.delete])
def test_what_comes_for_a_sweep_that_has_ended_is_thrown_away(hand: Any, end: Any) -> None:
    sweep = hand.sweep(TPE)
    task = look(hand, sweep)
    hand.do(end, sweep)
    assert not hand.do(suggesting.keep, task, Drawn(0, {"lr": 0.5, "size": 1}, None, SearchInfo("model")))
    assert not hand.do(suggesting.keep_by_chance, task, 0, "no reason")


def test_what_comes_too_late_for_its_draw_is_thrown_away(hand: Any) -> None:
    sweep = hand.sweep(TPE)
    task = look(hand, sweep)
    made(hand, sweep)
    hand.take(hand.agent(sweep))
    assert not hand.do(suggesting.keep, task, Drawn(0, {"lr": 0.5, "size": 1}, None, SearchInfo("model")))


def test_nothing_is_made_beyond_the_run_cap_or_while_the_sweep_is_paused(hand: Any) -> None:
    capped, paused = hand.sweep(f"{TPE}\nrun_cap: 2"), hand.sweep(TPE)
    assert made(hand, capped, hungry=5) == 2
    hand.do(sweeps.pause, paused)
    assert hand.database.read_now(suggesting.due, hand.clock(), {}) is None
    hand.do(sweeps.resume, paused)
    assert hand.database.read_now(suggesting.due, hand.clock(), {}).numbers == [0]


def test_the_predicted_value_is_in_the_metrics_unit_and_the_best_run_has_its_name(hand: Any) -> None:
    sweep = hand.sweep(TPE)
    agent = hand.agent(sweep)
    made(hand, sweep)
    first = hand.take(agent)
    task = look(hand, sweep)
    info = SearchInfo("model", predicted_value=-0.75, predicted_value_std_dev=0.1, best=0, seen=(0, 2, 3, -5))
    assert hand.do(suggesting.keep, task, Drawn(1, {"lr": 0.5, "size": 1}, None, info))
    told = hand.run(hand.take(agent).uid).search_info
    assert (told["predicted_value"], told["best"]) == (0.75, first.name)
    assert (told["seen"], told["others_seen"]) == ([[0, 0], [2, 3]], 1)


def test_sweeps_of_agents_that_wait_come_first_and_take_turns(hand: Any) -> None:
    ids = [hand.database.read_now(stored.get, hand.sweep(TPE)).id for _ in range(3)]
    hungry = {ids[1]: 8, ids[2]: 1}

    def turn(last: int) -> Any:
        return hand.database.read_now(suggesting.due, hand.clock(), hungry, last).sweep_id

    assert [turn(0), turn(ids[1]), turn(ids[2])] == [ids[1], ids[2], ids[1]]


def test_the_best_run_by_the_model_is_named_where_it_is_another(hand: Any) -> None:
    sweep = hand.sweep(TPE)
    agent = hand.agent(sweep)
    for loss in (0.5, 0.25):
        made(hand, sweep)
        train(hand, hand.take(agent), loss)
    task = look(hand, sweep)
    for number, best in ((2, 1), (3, 0)):
        drawn = Drawn(number, {"lr": number / 10, "size": 1}, None, SearchInfo("model", best=best))
        assert hand.do(suggesting.keep, task, drawn)
    names = {run.idx: run.id for run in hand.database.read_now(run_answers.page, sweep_uid=sweep, order="idx").runs}
    hand.take(agent)
    state = hand.state(sweep)
    assert (state.best_run, state.model_best) == (names[0], names[1])
    hand.take(agent)
    assert hand.state(sweep).model_best is None
