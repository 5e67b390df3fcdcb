"""Agents train while the clock is set forward and back and agents die: only what died is taken from anybody.

A seeded walk over the operations in one process, with the time as their argument.
"""

import random
from typing import Any

import pytest

from besom.operations.housekeeping import expire_leases, renew_all_leases
from besom.server.housekeeper import TICK_S, jumped
from besom.store import run_answers
from besom.wire.agents import Finish, HandOut, Wait

GRID = """
method: grid
program: train.py
project: shapes
metric: {name: loss, goal: minimize}
parameters: {x: {values: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}}
"""
ROWS = 6


class Trainer:
    """An agent that trains: what it holds, and how many rows it has logged of it."""

    def __init__(self, hand: Any, sweep: str) -> None:
        self.hand, self.uid = hand, hand.agent(sweep)
        self.held: HandOut | None = None
        self.logged = 0

    def go_on(self) -> bool:
        """The next thing: take a run, log a row, tell the end. False when there is nothing left to do."""
        if self.held is None:
            answer = self.hand.claim(self.uid)
            self.held, self.logged = (answer if isinstance(answer, HandOut) else None), 0
            assert isinstance(answer, HandOut | Wait | Finish)
            return not isinstance(answer, Finish)
        if self.logged < ROWS:
            step, run = self.logged, self.held
            row = (step, {"loss": float(step), "attempt": run.attempt})
            self.hand.log(run.uid, run.attempt, [row], writer=f"w{step}")
            self.logged += 1
            return True
        answer = self.hand.finish(self.held.uid, self.held.attempt)
        assert (answer.state, answer.current) == ("finished", True)
        self.held = None
        return True

    def beat(self) -> None:
        held = [] if self.held is None else [self.held]
        assert self.hand.beat(self.uid, *held).orders == []


@pytest.mark.parametrize("seed", range(4))
def test_a_clock_that_jumps_takes_no_run_from_a_living_agent(sqlite_hand: Any, clock: Any, seed: int) -> None:
    chance = random.Random(seed)
    sweep = sqlite_hand.sweep(GRID)
    trainers = [Trainer(sqlite_hand, sweep) for _ in range(3)]
    last, deaths, lost = clock.now, 0, []
    busy = True
    while busy:
        busy = False
        for at, trainer in enumerate(trainers):
            busy = trainer.go_on() or busy
            if trainer.held is not None and deaths < 5 and chance.random() < 0.04:
                deaths += 1
                trainers[at] = Trainer(sqlite_hand, sweep)
        for trainer in trainers:
            trainer.beat()
        clock.pass_s(TICK_S + (chance.choice([-7200, -60, 61, 86400]) if chance.random() < 0.1 else 0.0))
        if jumped(clock.now - last):
            sqlite_hand.do(renew_all_leases)
        else:
            lost += sqlite_hand.do(expire_leases)
        last = clock.now
        busy = busy or sqlite_hand.state(sweep).state == "running"
    assert len(lost) == deaths
    runs = sqlite_hand.database.read_now(run_answers.page, sweep_uid=sweep, order="idx").runs
    assert sorted(run.params["x"] for run in runs) == list(range(12))
    assert {run.state for run in runs} == {"finished"}
    assert sum(run.attempt - 1 for run in runs) == deaths
    for run in runs:
        wanted = [{"_step": step, "loss": float(step), "attempt": float(run.attempt)} for step in range(ROWS)]
        assert sqlite_hand.rows(run.uid) == wanted
