from __future__ import annotations

from typing import Any

import pytest

from besom.errors import NotFound, SweepConfigError, UsageError
from besom.operations import preview, sweeps
from besom.store import events
from besom.store import sweeps as stored
from besom.wire.agents import Finish, HandOut, Wait
from besom.wire.sweeps import EditSweep, NewSweep


def test_a_sweep_is_answered_as_it_was_written(sqlite_hand: Any) -> None:
    text = "method: grid\nname: shapes\nprogram: a.py\nparameters: {a: {values: [1, 2]}}\n"
    answer = sqlite_hand.state(sqlite_hand.sweep(text, default_project="mine"))
    assert (answer.entity, answer.project, answer.name, answer.method) == ("mira", "mine", "shapes", "grid")
    assert answer.config_text == text
    assert answer.config["parameters"] == {"a": {"values": [1, 2]}}
    assert (answer.grid_size, answer.program, answer.metric) == (2, "a.py", None)
    assert answer.url == f"/mira/mine/sweeps/{answer.id}"
    assert len(answer.id) == 8


def test_what_the_request_names_wins_over_the_config(sqlite_hand: Any) -> None:
    answer = sqlite_hand.state(sqlite_hand.sweep(entity="ana", project="other", name="n", program="b.py"))
    assert (answer.entity, answer.project, answer.name, answer.program) == ("ana", "other", "n", "b.py")


def test_a_config_given_as_an_object_has_a_text_that_reads_the_same(sqlite_hand: Any) -> None:
    config = {"method": "grid", "program": "a.py", "parameters": {"a": {"values": ["1e-3", 2]}}}
    request = NewSweep(request_id="object", config=config)
    first = sqlite_hand.database.write_now(sweeps.create, request, entity="mira", now=1.0)
    second = sqlite_hand.sweep(sqlite_hand.state(first).config_text)
    params = [sqlite_hand.take(sqlite_hand.agent(uid)).params for uid in (first, second)]
    assert params[0] == params[1] == {"a": "1e-3"}


def test_a_bad_config_makes_nothing_and_tells_all_problems(sqlite_hand: Any) -> None:
    with pytest.raises(SweepConfigError) as caught:
        sqlite_hand.sweep("method: gird\nprogramm: a.py\nparameters: {a: {values: []}}\n")
    assert len(caught.value.problems) >= 2
    assert sqlite_hand.database.read_now(stored.answers) == []


def test_a_request_without_a_config_is_refused(sqlite_hand: Any) -> None:
    with pytest.raises(UsageError, match="needs its config"):
        sqlite_hand.sweep(None)


def test_an_entity_that_is_an_address_is_refused(sqlite_hand: Any) -> None:
    with pytest.raises(SweepConfigError, match="is an address of the server"):
        sqlite_hand.sweep(entity="api")


def test_the_same_seed_makes_the_same_runs_after_a_restart_and_with_two_agents(sqlite_hand: Any) -> None:
    from besom.operations import searchers

    text = "{method: random, seed: 7, program: a.py, parameters: {a: {min: 0.0, max: 1.0}}}"
    one, two = sqlite_hand.sweep(text), sqlite_hand.sweep(text)
    alone = sqlite_hand.agent(one)
    expected = [sqlite_hand.take(alone).params for _ in range(4)]
    pair, found = [sqlite_hand.agent(two), sqlite_hand.agent(two)], []
    for number in range(4):
        found.append(sqlite_hand.take(pair[number % 2]).params)
        searchers._living.clear()
    assert found == expected


def test_without_a_seed_two_sweeps_differ(sqlite_hand: Any) -> None:
    text = "{method: random, program: a.py, parameters: {a: {min: 0.0, max: 1.0}}}"
    params = [sqlite_hand.take(sqlite_hand.agent(sqlite_hand.sweep(text))).params for _ in range(2)]
    assert params[0] != params[1]


def test_a_grid_with_more_points_than_a_database_can_count_is_handed_out(sqlite_hand: Any) -> None:
    wide = ", ".join(f"p{number}: {{min: 1, max: 1000000000}}" for number in range(3))
    sweep = sqlite_hand.sweep(f"{{method: grid, program: a.py, parameters: {{{wide}}}}}")
    agent = sqlite_hand.agent(sweep)
    assert [sqlite_hand.take(agent).params["p2"] for _ in range(3)] == [1, 2, 3]
    assert sqlite_hand.state(sweep).grid_size == 2**63 - 1


@pytest.mark.parametrize("operation", [sweeps.pause, sweeps.resume, sweeps.stop, sweeps.cancel, sweeps.delete])
def test_a_sweep_that_is_not_there_is_named(sqlite_hand: Any, operation: Any) -> None:
    with pytest.raises(NotFound, match="there is no sweep abcd1234"):
        sqlite_hand.do(operation, "abcd1234")


def test_a_sweep_is_found_only_under_its_own_project(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    assert sqlite_hand.database.read_now(stored.get, sweep, "mira", "shapes").uid == sweep
    with pytest.raises(NotFound, match=f"ana/shapes/{sweep}"):
        sqlite_hand.database.read_now(stored.get, sweep, "ana", "shapes")


def test_a_negative_cap_is_refused(sqlite_hand: Any) -> None:
    with pytest.raises(UsageError, match="0 lifts the cap"):
        sqlite_hand.do(sweeps.edit, sqlite_hand.sweep(), EditSweep(run_cap=-1))


def test_every_change_that_people_see_raises_the_version(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    versions = [sqlite_hand.state(sweep).version]
    for operation in (sweeps.pause, sweeps.resume, sweeps.stop):
        sqlite_hand.do(operation, sweep)
        versions.append(sqlite_hand.state(sweep).version)
    assert versions == [0, 1, 2, 3]


def test_a_preview_takes_nothing(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    seen = [sqlite_hand.database.read_now(preview.next_params, sweep, 1.0) for _ in range(2)]
    assert seen[0] == seen[1]
    assert isinstance(seen[0], HandOut)
    assert (seen[0].token, seen[0].uid) == ("", "")
    run = sqlite_hand.take(sqlite_hand.agent(sweep))
    assert (run.params, run.display_name, run.number) == (seen[0].params, seen[0].display_name, seen[0].number)
    sqlite_hand.finish(run.uid, signal=9)
    again = sqlite_hand.database.read_now(preview.next_params, sweep, 1.0)
    assert (again.uid, again.attempt) == (run.uid, 2)
    sqlite_hand.do(sweeps.pause, sweep)
    assert isinstance(sqlite_hand.database.read_now(preview.next_params, sweep, 1.0), Wait)
    sqlite_hand.do(sweeps.cancel, sweep)
    assert sqlite_hand.database.read_now(preview.next_params, sweep, 1.0) == Finish(
        why="canceled", reason="canceled by a person"
    )


def test_events_tell_the_story_of_a_sweep(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep("{method: grid, program: a.py, parameters: {a: {values: [1]}}}")
    agent = sqlite_hand.agent(sweep)
    run = sqlite_hand.take(agent)
    sqlite_hand.log(run.uid, 1, [(0, {"loss": 1.0})])
    sqlite_hand.finish(run.uid)
    sqlite_hand.do(sweeps.delete, sweep)
    told = sqlite_hand.database.read_now(events.after, 0, sweep)
    assert [event.kind for event in told] == [
        "sweep.created", "agent.started", "sweep.changed", "run.created", "run.started", "run.progress", "run.ended",
        "sweep.changed", "sweep.deleted",
    ]  # fmt: skip
    assert told[-2].data == {"state": "finished", "reason": "grid exhausted: 1 of 1 points"}
    assert {event.run for event in told} == {None, run.uid}
