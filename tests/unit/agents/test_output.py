import os

import pytest

from besom.agents.output import Output


@pytest.fixture
def pipe():
    """Both ends of a pipe; whoever has closed one has put None there."""
    ends = list(os.pipe())
    yield ends
    for end in ends:
        if end is not None:
            os.close(end)


def test_nothing_printed_makes_no_log(tmp_path, pipe):
    output = Output(pipe[0], tmp_path / "1-0" / "console.log", print)
    assert output.read() is None
    pipe[0] = output.hand_over(print)
    assert not (tmp_path / "1-0").exists()


def test_what_is_printed_is_kept_and_shown(tmp_path, pipe):
    log = tmp_path / "1-0" / "console.log"
    output = Output(pipe[0], log, print)
    os.write(pipe[1], b"one")
    assert output.read() == b"one"
    os.write(pipe[1], b"two")
    shown = []
    pipe[0] = output.hand_over(shown.append)
    assert shown == [b"two"]
    assert log.read_bytes() == b"onetwo"


def test_the_pipes_end_is_told_once_and_not_waited_for_again(tmp_path, pipe):
    output = Output(pipe[0], tmp_path / "console.log", print)
    os.close(pipe[1])
    pipe[1] = None
    assert output.read() == b""
    assert output.fd is None
    assert output.read() is None


def test_one_who_prints_for_ever_does_not_hold_up_the_end(tmp_path, pipe):
    output = Output(pipe[0], tmp_path / "console.log", print)
    os.write(pipe[1], b"x")
    pipe[0] = output.hand_over(lambda piece: os.write(pipe[1], b"x"))
