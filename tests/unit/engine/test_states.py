from __future__ import annotations

import pytest

from besom.engine import states
from besom.errors import Refused


def test_every_run_state_has_its_moves() -> None:
    assert set(states.RUN_MOVES) == set(states.RUN_STATES)
    assert all(targets <= set(states.RUN_STATES) for targets in states.RUN_MOVES.values())


def test_no_run_state_is_without_a_way_to_an_end() -> None:
    for begin in states.RUN_STATES:
        reached, fresh = set(), {begin}
        while fresh:
            reached |= fresh
            fresh = {target for state in fresh for target in states.RUN_MOVES[state]} - reached
        assert reached & states.ENDS


def test_no_sweep_state_is_without_a_way_out() -> None:
    assert all(states.SWEEP_MOVES[state] for state in states.SWEEP_MOVES)


def test_a_move_outside_of_the_table_tells_its_story() -> None:
    with pytest.raises(states.InvalidMove, match=r"run abc, attempt 2: finished → crashed is not a move \(late news\)"):
        states.check_run_move("abc", 2, "finished", "crashed", "late news")
    with pytest.raises(states.InvalidMove, match="sweep s: finished → paused"):
        states.check_sweep_move("s", "finished", "paused", "")


def test_staying_is_always_allowed() -> None:
    for state in states.RUN_STATES:
        states.check_run_move("abc", 1, state, state, "")


@pytest.mark.parametrize("state", ["finished", "canceled"])
def test_people_cannot_pause_or_end_what_has_ended(state: states.SweepState) -> None:
    with pytest.raises(Refused, match=f"Cannot pause {state} sweep s1"):
        states.check_pause("s1", state)
    with pytest.raises(Refused, match=f"Sweep already {state}"):
        states.check_end("s1", state)


@pytest.mark.parametrize("state", ["pending", "running", "paused"])
def test_people_can_pause_and_end_an_open_sweep(state: states.SweepState) -> None:
    states.check_pause("s1", state)
    states.check_end("s1", state)


@pytest.mark.parametrize(
    ("state", "by_sweep", "sentence"),
    [
        ("running", True, "run r is running: kill it first"),
        ("queued", True, "run r is queued already"),
        ("failed", False, "run r was not started by a sweep's agent"),
    ],
)
def test_a_rerun_is_refused_with_its_reason(state: states.RunState, by_sweep: bool, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        states.check_rerun("r", state, by_sweep)
