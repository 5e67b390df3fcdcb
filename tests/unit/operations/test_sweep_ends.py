"""What ends a sweep besides its last point: run time, and runs that bring nothing better."""

from __future__ import annotations

from typing import Any

import pytest

from besom.operations import housekeeping, sweeps
from besom.wire.agents import Finish, HandOut, Wait

FREE = "{{method: random, seed: 1, metric: {{name: loss}}, {}, parameters: {{x: {{min: 0.0, max: 1.0}}}}}}"


@pytest.fixture
def played(hand: Any) -> Any:
    return Player(hand)


class Player:
    """Runs one run after the other."""

    def __init__(self, hand: Any) -> None:
        self.hand = hand

    def open(self, key: str) -> str:
        self.sweep = self.hand.sweep(FREE.format(key))
        self.agent = self.hand.agent(self.sweep)
        return str(self.sweep)

    def run(self, loss: float | None = 0.5, seconds: float = 10.0, **end: Any) -> HandOut:
        taken: HandOut = self.hand.take(self.agent)
        self.hand.clock.pass_s(seconds)
        if loss is not None:
            self.hand.log(taken.uid, taken.attempt, [(0, {"loss": loss})])
        self.hand.finish(taken.uid, taken.attempt, **end)
        return taken


def test_the_compute_cap_is_met_by_the_time_of_all_runs(played: Any) -> None:
    sweep = played.open("compute_cap: 35s")
    for _ in range(3):
        played.run()
        played.hand.clock.pass_s(1000)
    assert played.hand.state(sweep).state == "running"
    played.run()
    ended = played.hand.state(sweep)
    assert (ended.state, ended.ended_reason) == ("finished", "compute cap of 35s reached: runs have trained for 40s")
    assert isinstance(played.hand.claim(played.agent), Finish)


def test_runs_that_train_now_count_for_the_compute_cap(played: Any) -> None:
    sweep = played.open("compute_cap: 60s")
    held = [played.hand.take(played.agent) for _ in range(2)]
    played.hand.clock.pass_s(29)
    held.append(played.hand.take(played.agent))
    played.hand.clock.pass_s(1)
    answer = played.hand.claim(played.agent)
    assert isinstance(answer, Wait)
    assert answer.reason.startswith("compute cap of 1m reached: runs have trained for 1m1s; the last 3 runs are still")
    for each in held:
        played.hand.finish(each.uid)
    assert played.hand.state(sweep).ended_reason == "compute cap of 1m reached: runs have trained for 1m1s"


def test_every_attempt_counts_for_the_compute_cap_and_time_between_them_does_not(played: Any) -> None:
    sweep = played.open("compute_cap: 25s, retry: {failed: 1}")
    first = played.run(exit_code=1)
    played.hand.clock.pass_s(500)
    second = played.run()
    assert (first.uid, second.attempt) == (second.uid, 2)
    assert played.hand.state(sweep).state == "running"
    played.run()
    assert played.hand.state(sweep).ended_reason == "compute cap of 25s reached: runs have trained for 30s"


def test_what_a_lost_lease_had_counted_is_not_counted_twice(played: Any) -> None:
    sweep = played.open("compute_cap: 250s")
    held = played.hand.take(played.agent)
    played.hand.clock.pass_s(200)
    assert played.hand.do(housekeeping.expire_leases) == [held.uid]
    played.hand.finish(held.uid)
    assert played.hand.state(sweep).state == "running"
    assert isinstance(played.hand.claim(played.agent), HandOut)


def test_a_plateau_is_so_many_runs_in_a_row_that_brought_nothing_better(played: Any) -> None:
    sweep = played.open("plateau: {runs: 3}")
    for loss in (0.5, 0.6, 0.5, 0.4, 0.4, None):
        played.run(loss)
        assert played.hand.state(sweep).state == "running"
    played.run(0.7)
    ended = played.hand.state(sweep)
    assert (ended.state, ended.ended_reason) == ("finished", "plateau: the last 3 runs brought nothing better")


def test_runs_that_went_wrong_do_not_count_for_a_plateau(played: Any) -> None:
    sweep = played.open("plateau: {runs: 2}")
    played.run(0.5)
    for _ in range(4):
        played.run(0.9, exit_code=1)
    played.run(0.9)
    assert played.hand.state(sweep).state == "running"
    played.run(0.9)
    assert played.hand.state(sweep).state == "finished"


def test_runs_that_were_stopped_early_count_for_a_plateau(played: Any) -> None:
    sweep = played.open("plateau: {runs: 2}")
    played.run(0.5)
    for _ in range(2):
        played.run(0.9, stopped_by="stop")
    assert played.hand.state(sweep).state == "finished"


def test_the_first_runs_without_a_score_are_a_plateau_too(played: Any) -> None:
    sweep = played.open("plateau: {runs: 2}")
    played.run(None)
    played.run(None)
    assert played.hand.state(sweep).ended_reason == "plateau: the last 2 runs brought nothing better"


def test_who_resumes_a_sweep_on_its_plateau_gets_as_many_runs_again(played: Any) -> None:
    sweep = played.open("plateau: {runs: 2}")
    for loss in (0.5, 0.6, 0.6):
        played.run(loss)
    played.hand.do(sweeps.resume, sweep)
    played.run(0.6)
    assert played.hand.state(sweep).state == "running"
    played.run(0.6)
    assert played.hand.state(sweep).state == "finished"


def test_a_person_may_end_a_sweep_with_caps(played: Any) -> None:
    sweep = played.open("plateau: {runs: 2}, compute_cap: 8h")
    played.run(0.5)
    played.hand.do(sweeps.stop, sweep)
    assert played.hand.state(sweep).ended_reason == "stopped by a person"
