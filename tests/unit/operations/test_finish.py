from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from besom.errors import Refused, UsageError
from besom.store import sweeps, tokens
from besom.wire.agents import Claim, Finish, HandOut, Wait
from besom.wire.runs import LastBytes

STOPS = """
method: random
seed: 1
program: a.py
metric: {name: loss, goal: minimize}
early_terminate: {type: hyperband, min_iter: 2, eta: 2}
parameters: {lr: {min: 0.0, max: 1.0}}
"""


def row(step: int, loss: float) -> dict[str, Any]:
    return {"t": "row", "step": step, "time": 1000.0 + step, "data": {"loss": loss}}


def test_the_rest_of_the_rows_comes_with_the_end(sqlite_hand: Any, make_spool: Any) -> None:
    run = sqlite_hand.take(sqlite_hand.agent(sqlite_hand.sweep()))
    data = make_spool([row(0, 0.5), row(1, 0.25)])
    end = {"offsets": {"w0/history": len(data)}, "exit_code": 0}
    answer = sqlite_hand.finish(run.uid, rest={"w0/history": LastBytes(offset=0, data=data)}, **end)
    assert (answer.state, answer.score, answer.best_score, answer.best_run) == ("finished", 0.25, 0.25, run.name)
    assert sqlite_hand.rows(run.uid) == [{"_step": 0, "loss": 0.5}, {"_step": 1, "loss": 0.25}]


def test_a_report_that_comes_twice_stores_its_rows_once(sqlite_hand: Any, make_spool: Any) -> None:
    run = sqlite_hand.take(sqlite_hand.agent(sqlite_hand.sweep()))
    data = make_spool([row(0, 0.5)])
    report = {"exit_code": 0, "rest": {"w0/history": LastBytes(offset=0, data=data)}}
    assert [sqlite_hand.finish(run.uid, **report).state for _ in range(2)] == ["finished", "finished"]
    assert sqlite_hand.rows(run.uid) == [{"_step": 0, "loss": 0.5}]


def test_the_rest_goes_on_where_the_stream_is(sqlite_hand: Any, make_spool: Any) -> None:
    run = sqlite_hand.take(sqlite_hand.agent(sqlite_hand.sweep()))
    first, last = make_spool([row(0, 0.5)]), make_spool([row(1, 0.4)], header=False)
    sqlite_hand.append(run.uid, 1, first)
    whole = len(first) + len(last)
    sqlite_hand.finish(
        run.uid, exit_code=0, offsets={"w0/history": whole},
        rest={"w0/history": LastBytes(offset=len(first), data=last), "out/console": LastBytes(offset=0, data=b"hi\n")},
    )  # fmt: skip
    assert [found["_step"] for found in sqlite_hand.rows(run.uid)] == [0, 1]


def test_rows_before_the_rest_that_are_missing_refuse_the_end_and_nothing_is_kept(
    sqlite_hand: Any, make_spool: Any
) -> None:
    agent = sqlite_hand.agent(sqlite_hand.sweep())
    run = sqlite_hand.take(agent)
    rest = {
        "w0/history": LastBytes(offset=50, data=b"later"),
        "w1/history": LastBytes(offset=0, data=make_spool([row(0, 0.5)])),
    }
    with pytest.raises(Refused, match="0 of 55 bytes of its stream w0/history are here"):
        sqlite_hand.finish(run.uid, exit_code=0, rest=rest, offsets={"w0/history": 55}, next=Claim(request_id="after"))
    assert (sqlite_hand.run(run.uid).state, sqlite_hand.rows(run.uid)) == ("running", [])
    assert sqlite_hand.state(sqlite_hand.run(run.uid).sweep).runs.running == 1


def test_a_stream_of_no_known_kind_is_refused(sqlite_hand: Any) -> None:
    run = sqlite_hand.take(sqlite_hand.agent(sqlite_hand.sweep()))
    with pytest.raises(UsageError, match="there is no stream of kind 'songs'"):
        sqlite_hand.finish(run.uid, rest={"w0/songs": LastBytes(offset=0, data=b"x")})


def test_a_spoiled_rest_does_not_hold_a_run_back(sqlite_hand: Any, make_spool: Any) -> None:
    run = sqlite_hand.take(sqlite_hand.agent(sqlite_hand.sweep()))
    data = make_spool([row(0, 0.5)]) + b"\xff" * 40
    end = {"exit_code": 0, "offsets": {"w0/history": len(data)}}
    answer = sqlite_hand.finish(run.uid, rest={"w0/history": LastBytes(offset=0, data=data)}, **end)
    assert (answer.state, answer.score) == ("finished", 0.5)
    assert "is lost from byte" in answer.warnings[0]


def test_rows_that_come_with_the_end_are_judged_like_others(sqlite_hand: Any, make_spool: Any) -> None:
    agent = sqlite_hand.agent(sqlite_hand.sweep(STOPS))
    for loss in (0.1, 0.2, 0.3):
        sqlite_hand.log(sqlite_hand.take(agent).uid, 1, [(step, {"loss": loss}) for step in range(4)])
    bad = sqlite_hand.take(agent)
    data = make_spool([row(step, 0.9) for step in range(4)])
    sqlite_hand.finish(bad.uid, signal=15, stopped_by="stop", rest={"w0/history": LastBytes(offset=0, data=data)})
    answer = sqlite_hand.run(bad.uid)
    assert (answer.state, answer.score) == ("stopped", 0.9)
    assert "0.9 is above" in answer.stop_reason


def test_what_a_superseded_attempt_sends_with_its_end_changes_nothing(sqlite_hand: Any, make_spool: Any) -> None:
    agent = sqlite_hand.agent(sqlite_hand.sweep())
    run = sqlite_hand.take(agent)
    sqlite_hand.finish(run.uid, signal=9)
    assert sqlite_hand.take(agent).attempt == 2
    data = make_spool([row(0, 0.5)])
    answer = sqlite_hand.finish(run.uid, 1, exit_code=0, rest={"w0/history": LastBytes(offset=0, data=data)})
    assert (answer.current, answer.state, answer.score) == (False, "running", None)
    assert sqlite_hand.rows(run.uid) == []


def test_the_end_of_a_run_brings_the_next_one(sqlite_hand: Any) -> None:
    run = sqlite_hand.take(sqlite_hand.agent(sqlite_hand.sweep()))
    following = sqlite_hand.finish(run.uid, exit_code=0, next=Claim(request_id="after")).next
    assert isinstance(following, HandOut)
    assert (following.number, following.total) == (2, 6)
    again = sqlite_hand.finish(run.uid, exit_code=0, next=Claim(request_id="after")).next
    assert (again.uid, again.attempt) == (following.uid, 1)


def test_without_an_ask_the_end_brings_no_run(sqlite_hand: Any) -> None:
    run = sqlite_hand.take(sqlite_hand.agent(sqlite_hand.sweep()))
    assert sqlite_hand.finish(run.uid).next is None
    assert sqlite_hand.state(sqlite_hand.run(run.uid).sweep).runs.running == 0


def test_a_run_that_fails_may_be_the_next_one(sqlite_hand: Any) -> None:
    run = sqlite_hand.take(sqlite_hand.agent(sqlite_hand.sweep()))
    following = sqlite_hand.finish(run.uid, signal=9, next=Claim(request_id="after")).next
    assert (following.uid, following.attempt) == (run.uid, 2)


def test_the_last_end_says_that_the_sweep_is_done(sqlite_hand: Any) -> None:
    capped = "{method: random, program: a.py, run_cap: 2, parameters: {lr: {min: 0.0, max: 1.0}}}"
    agent = sqlite_hand.agent(sqlite_hand.sweep(capped))
    first, second = sqlite_hand.take(agent), sqlite_hand.take(agent)
    waits = sqlite_hand.finish(first.uid, exit_code=0, next=Claim(request_id="a")).next
    ends = sqlite_hand.finish(second.uid, exit_code=0, next=Claim(request_id="b")).next
    assert isinstance(waits, Wait)
    assert ends == Finish(why="finished", reason="run cap of 2 reached")


def test_a_run_without_an_agent_has_no_next(sqlite_hand: Any) -> None:
    run = sqlite_hand.start()
    with pytest.raises(UsageError, match="has no agent that could take another run"):
        sqlite_hand.finish(run, exit_code=0, next=Claim(request_id="after"))
    assert sqlite_hand.run(run).state == "running"


def test_the_best_of_the_sweep_is_told_with_each_end(sqlite_hand: Any) -> None:
    agent = sqlite_hand.agent(sqlite_hand.sweep())
    first, second = sqlite_hand.take(agent), sqlite_hand.take(agent)
    sqlite_hand.log(first.uid, 1, [(0, {"loss": 0.1})])
    sqlite_hand.log(second.uid, 1, [(0, {"loss": 0.2})])
    sqlite_hand.finish(first.uid)
    answer = sqlite_hand.finish(second.uid)
    assert (answer.score, answer.best_score, answer.best_run) == (0.2, 0.1, first.name)


def test_ends_with_the_next_ask_from_many_threads_hand_each_point_out_once(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep(
        "{method: grid, program: a.py, parameters: {a: {values: [1, 2, 3, 4, 5]}, b: {values: [1, 2, 3, 4, 5]}}}"
    )

    def work(agent: str) -> list[int]:
        mine, answer = [], sqlite_hand.claim(agent)
        while isinstance(answer, HandOut):
            mine.append(answer.number)
            answer = sqlite_hand.finish(answer.uid, exit_code=0, next=Claim(request_id=f"{agent}-{answer.number}")).next
        return mine

    takers = [sqlite_hand.agent(sweep) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        taken = [number for mine in pool.map(work, takers) for number in mine]
    assert sorted(taken) == list(range(1, 26))
    assert sqlite_hand.state(sweep).runs.finished == 25


def test_an_ask_that_comes_late_once_more_takes_no_run_from_others(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    agent = sqlite_hand.agent(sweep)
    first = sqlite_hand.take(agent)
    second = sqlite_hand.finish(first.uid, exit_code=0, next=Claim(request_id="after")).next
    sqlite_hand.finish(second.uid, exit_code=0)

    late = sqlite_hand.finish(first.uid, exit_code=0, next=Claim(request_id="after")).next

    assert isinstance(late, Wait)
    assert late.reason == f"this ask was given run {second.name}, whose attempt 1 is over"
    assert sqlite_hand.database.read_now(sweeps.get, sweep).created_runs == 2


def test_an_ask_that_is_repeated_gets_a_token_that_works(sqlite_hand: Any) -> None:
    first = sqlite_hand.take(sqlite_hand.agent(sqlite_hand.sweep()))
    report = {"exit_code": 0, "next": Claim(request_id="after")}
    sqlite_hand.finish(first.uid, **report)

    again = sqlite_hand.finish(first.uid, **report).next

    found = sqlite_hand.database.read_now(tokens.find, tokens.hash_of(again.token), sqlite_hand.clock())
    assert found.run_uid == again.uid
