"""What the attempts of one run have to do with each other's rows."""

from typing import Any

import pytest

from besom.errors import NotFound
from besom.store import history

LOGGED = [(step, {"loss": 10.0 - step}) for step in range(5)]


@pytest.fixture
def agent(sqlite_hand: Any) -> str:
    return sqlite_hand.agent(sqlite_hand.sweep())


def begin_again(hand: Any, agent: str, run: Any) -> Any:
    """The run's next attempt, after the one that runs was killed."""
    hand.finish(run.uid, run.attempt, signal=9)
    again = hand.take(agent)
    assert (again.uid, again.attempt) == (run.uid, run.attempt + 1)
    return again


def test_an_attempt_that_finds_nothing_left_to_do_has_what_the_one_before_has_shown(
    sqlite_hand: Any, agent: str
) -> None:
    first = sqlite_hand.take(agent)
    sqlite_hand.note(first.uid, 1, {"t": "define", "name": "loss", "summary": ["mean"]})
    sqlite_hand.log(first.uid, 1, LOGGED)
    begin_again(sqlite_hand, agent, first)
    assert sqlite_hand.finish(first.uid, 2).score == 6.0
    assert sqlite_hand.run(first.uid).summary == {"loss": {"mean": 8.0}}
    assert [row["loss"] for row in sqlite_hand.rows(first.uid)] == [10.0, 9.0, 8.0, 7.0, 6.0]


def test_an_attempt_that_died_without_a_row_does_not_stand_between_two_others(sqlite_hand: Any, agent: str) -> None:
    first = sqlite_hand.take(agent)
    sqlite_hand.note(first.uid, 1, {"t": "summary", "set": {"best": 3}})
    sqlite_hand.log(first.uid, 1, LOGGED)
    begin_again(sqlite_hand, agent, begin_again(sqlite_hand, agent, first))
    sqlite_hand.log(first.uid, 3, [(3, {"loss": 1.0})])
    assert sqlite_hand.run(first.uid).summary == {"loss": 1.0, "best": 3}
    assert [row["loss"] for row in sqlite_hand.rows(first.uid)] == [10.0, 9.0, 8.0, 1.0]


def test_rows_that_a_superseded_attempt_sends_late_stand_below_the_step_that_was_gone_on_from(
    sqlite_hand: Any, agent: str
) -> None:
    first = sqlite_hand.take(agent)
    begin_again(sqlite_hand, agent, first)
    sqlite_hand.log(first.uid, 2, [(3, {"loss": 1.0})])
    sqlite_hand.log(first.uid, 1, LOGGED)
    assert [row["loss"] for row in sqlite_hand.rows(first.uid)] == [10.0, 9.0, 8.0, 1.0]


def test_late_rows_of_one_that_had_itself_gone_on_leave_room_for_those_before(sqlite_hand: Any, agent: str) -> None:
    first = sqlite_hand.take(agent)
    sqlite_hand.log(first.uid, 1, LOGGED)
    begin_again(sqlite_hand, agent, begin_again(sqlite_hand, agent, first))
    sqlite_hand.log(first.uid, 3, [(4, {"loss": 1.0})])
    sqlite_hand.log(first.uid, 2, [(2, {"loss": 3.0}), (3, {"loss": 2.0}), (4, {"loss": 1.5})])
    assert [row["loss"] for row in sqlite_hand.rows(first.uid)] == [10.0, 9.0, 3.0, 2.0, 1.0]


def test_the_rows_of_a_superseded_attempt_can_be_read_and_count_for_nothing(sqlite_hand: Any, agent: str) -> None:
    first = sqlite_hand.take(agent)
    begin_again(sqlite_hand, agent, first)
    sqlite_hand.log(first.uid, 1, LOGGED)
    sqlite_hand.log(first.uid, 2, [(0, {"loss": 7.0})])
    pages = [sqlite_hand.database.read_now(history.page, first.uid, attempt=attempt) for attempt in (1, 2, None)]
    assert [[row["loss"] for row in page.rows] for page in pages] == [[10.0, 9.0, 8.0, 7.0, 6.0], [7.0], [7.0]]
    with pytest.raises(NotFound, match="has no attempt 3"):
        sqlite_hand.database.read_now(history.page, first.uid, attempt=3)


def test_before_its_first_row_the_last_attempt_has_no_curve(sqlite_hand: Any, agent: str) -> None:
    first = sqlite_hand.take(agent)
    sqlite_hand.log(first.uid, 1, LOGGED)
    begin_again(sqlite_hand, agent, first)
    assert sqlite_hand.rows(first.uid) == []
    assert sqlite_hand.run(first.uid).score is None


def test_rows_that_arrive_after_an_attempt_found_nothing_left_to_do_are_in_the_curve(
    sqlite_hand: Any, agent: str
) -> None:
    first = sqlite_hand.take(agent)
    sqlite_hand.log(first.uid, 1, LOGGED[:2], writer="w0")
    begin_again(sqlite_hand, agent, first)
    assert sqlite_hand.finish(first.uid, 2).score == 9.0
    sqlite_hand.log(first.uid, 1, LOGGED[2:], writer="w1")
    assert [row["loss"] for row in sqlite_hand.rows(first.uid)] == [10.0, 9.0, 8.0, 7.0, 6.0]
    assert sqlite_hand.run(first.uid).score == 9.0
