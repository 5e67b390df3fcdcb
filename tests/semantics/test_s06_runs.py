"""Section 6: the runs of a grid and their points."""

from __future__ import annotations

from typing import Any

from besom.wire.agents import Wait

TWO = "{method: grid, project: shapes, program: a.py, metric: {name: loss}, parameters: {a: {values: [1, 2]}}}"


def test_s06_a_run_started_by_hand_within_the_sweep_has_its_point(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep(TWO)
    run = sqlite_hand.start(sweep_id=sweep)
    sqlite_hand.note(run, 1, {"t": "config", "set": {"a": 1}})
    agent = sqlite_hand.agent(sweep)
    assert sqlite_hand.take(agent).params == {"a": 2}
    assert isinstance(sqlite_hand.claim(agent), Wait)
    assert sqlite_hand.run(run).params == {"a": 1}


def test_s06_what_a_script_writes_back_does_not_change_what_was_handed_out(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep(TWO)
    agent = sqlite_hand.agent(sweep)
    run = sqlite_hand.take(agent)
    sqlite_hand.note(run.uid, 1, {"t": "config", "set": {"a": "1", "extra": 5}})
    answer = sqlite_hand.run(run.uid)
    assert answer.params == {"a": 1}
    assert answer.config == {"a": "1", "extra": 5}
    assert sqlite_hand.take(agent).params == {"a": 2}
    assert isinstance(sqlite_hand.claim(agent), Wait)
