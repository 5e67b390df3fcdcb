import os

import pytest

from besom.client import current


@pytest.fixture(autouse=True)
def nothing_is_left():
    yield
    current.begin_call(None)


def test_a_spool_that_lies_ready_is_taken_once():
    current.begin_call("w1")
    assert [current.take_writer(), current.take_writer()] == ["w1", None]


def test_a_spool_that_nobody_took_is_not_ready_for_the_next_call():
    current.begin_call("w1")
    current.begin_call(None)
    assert current.take_writer() is None


def test_a_forked_child_does_not_take_the_spool_of_its_parent():
    current.begin_call("w1")
    child = os.fork()
    if child == 0:
        os._exit(0 if current.take_writer() is None else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert current.take_writer() == "w1"


def test_which_spool_was_closed_is_known_until_the_next_call(make_run):
    made = make_run(on_end=current.forget)
    made.run.finish()
    assert current.closed == str(made.file)
    current.begin_call(None)
    assert current.closed is None
