"""Runs that are judged as their rows come in, by rules of every kind, as a replay of their histories judges them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from besom.engine.replaying import History, Row, replay
from besom.metric import Metric
from besom.stopping import make_stoppers
from besom.store import observations, runs
from besom.sweep_config import read_early_terminate

HEAD = "method: random\nseed: 1\nmetric: {name: loss, goal: minimize}\nparameters: {x: {min: 0.0, max: 1.0}}\n"
LOSS = Metric("loss")
RULES = [
    "{type: hyperband, min_iter: 2}",
    "{type: asha, min_iter: 2, eta: 2}",
    "{type: asha, resource: epoch, eta: 2, strict: false}",
    "{type: median, min_peers: 3}",
    "{type: percentile, percentile: 30, min_peers: 2, resource: _step}",
    "{type: threshold, upper: 2.5, grace: 3}",
    "{type: plateau, patience: 4, min_delta: 0.1}",
    "{type: nan, patience: 2}",
    "[{type: plateau, patience: 6}, {type: asha, min_iter: 5, nan: {patience: 3}}]",
]


def curve(number: int) -> list[dict[str, Any]]:
    """Rows of a run, some with NaN, some in no hurry to improve; an epoch is three rows."""
    height = (number * 7 % 5) / 2 + 0.3
    rows = []
    for step in range(14):
        loss = height + 2.0 / (step + 1) + (0.3 if step % 4 == number % 4 else 0.0)
        rows.append({"loss": math.nan if number == 6 and step > 4 else loss, "epoch": step // 3})
    return rows


def live(hand: Any, rules: str, at_once: int) -> dict[str, Any]:
    """Logs runs one after the other, ``at_once`` rows a request, until they are stopped; their names and reasons."""
    agent = hand.agent(hand.sweep(f"{HEAD}early_terminate: {rules}\n"))
    reasons = {}
    for number in range(10):
        taken = hand.take(agent)
        rows = curve(number)
        for start in range(0, len(rows), at_once):
            records = [(start + at, row) for at, row in enumerate(rows[start : start + at_once])]
            hand.log(taken.uid, 1, records, writer=f"w{start}")
            if (reason := hand.run(taken.uid).stop_reason) is not None:
                break
        reasons[taken.uid] = reason
        hand.finish(taken.uid, 1, **({"stopped_by": "stop"} if reason else {"exit_code": 0}))
        hand.clock.pass_s(60)
    return reasons


@pytest.mark.parametrize("rules", RULES)
def test_a_replay_of_the_histories_gives_the_verdicts_that_were_given(sqlite_hand: Any, rules: str) -> None:
    reasons = live(sqlite_hand, rules, at_once=1)
    assert any(reasons.values())
    assert not all(reasons.values())
    histories = []
    for begin, uid in enumerate(reasons):
        rows = [Row(1e4 * begin + row["_step"], row["_step"], row) for row in sqlite_hand.rows(uid)]
        histories.append(History(uid, rows))
    stoppers = make_stoppers(read_early_terminate(rules, metric=LOSS), LOSS)
    assert {each.run: each.reason for each in replay(stoppers, LOSS, histories)} == reasons


@pytest.mark.parametrize("rules", RULES)
def test_rows_that_come_together_are_judged_one_by_one(sqlite_hand: Any, rules: str) -> None:
    assert list(live(sqlite_hand, rules, at_once=1).values()) == list(live(sqlite_hand, rules, at_once=14).values())


def test_a_row_may_come_in_pieces(hand: Any, make_spool: Any) -> None:
    rules = "{type: asha, resource: epoch, min_peers: 2}"
    agent = hand.agent(hand.sweep(f"{HEAD}early_terminate: {rules}\n"))
    for loss, reason in ((0.5, None), (0.7, "epoch 1: 0.7 is above 0.5, the best third of 2 runs")):
        run = hand.take(agent)
        records = [
            {"t": "row", "step": 0, "time": 1.0, "data": {"loss": 9.0}},
            {"t": "row", "step": 1, "time": 1.0, "data": {"loss": loss}},
            {"t": "row", "step": 1, "time": 1.0, "data": {"epoch": 1}},
        ]
        offset = 0
        for at, record in enumerate(records):
            offset = hand.append(run.uid, 1, make_spool([record], header=at == 0), offset)
        assert hand.run(run.uid).stop_reason == reason


def test_what_a_resumed_attempt_went_past_is_not_judged_again(hand: Any) -> None:
    rules = "[{type: asha, min_iter: 2, min_peers: 2}, {type: plateau, patience: 3}]"
    agent = hand.agent(hand.sweep(f"{HEAD}retry: {{failed: 1}}\nearly_terminate: {rules}\n"))
    good, again = hand.take(agent), hand.take(agent)
    hand.log(again.uid, 1, [(0, {"loss": 5.0}), (1, {"loss": 4.0})])
    hand.log(good.uid, 1, [(0, {"loss": 0.5}), (1, {"loss": 0.4})])
    hand.finish(again.uid, 1, exit_code=1)
    assert hand.take(agent).uid == again.uid
    hand.log(again.uid, 2, [(2, {"loss": 4.5}), (3, {"loss": 4.5})], writer="w1")
    assert hand.run(again.uid).stop_reason is None
    hand.log(again.uid, 2, [(4, {"loss": 4.5})], writer="w2")
    assert hand.run(again.uid).stop_reason == ("step 5: none of the last 3 values is below 4, the value at step 2")


def test_the_event_of_a_stop_has_rung_and_reason(hand: Any) -> None:
    from besom.store import events

    agent = hand.agent(hand.sweep(f"{HEAD}early_terminate: {{type: threshold, upper: 2}}\n"))
    run = hand.take(agent)
    hand.log(run.uid, 1, [(0, {"loss": 1.0}), (1, {"loss": 3.0})])
    told = hand.database.read_now(events.after, 0)
    (stop,) = [event for event in told if event.kind == "run.stop"]
    assert (stop.data["rung"], stop.data["reason"]) == (2, "step 2: 3 is above 2, the upper bound")


def test_a_rule_that_compares_nothing_keeps_nothing_but_its_record(hand: Any) -> None:
    rules = "[{type: threshold, upper: 99}, {type: nan}, {type: plateau}]"
    agent = hand.agent(hand.sweep(f"{HEAD}early_terminate: {rules}\n"))
    run = hand.take(agent)
    hand.log(run.uid, 1, [(step, {"loss": 1.0 / (step + 1)}) for step in range(50)])
    run_id = hand.database.read_now(runs.get, run.uid).id
    assert list(hand.database.read_now(observations.of_run, run_id)) == [("record 0.0", 50)]
