import os
import threading
import time

import pytest

from besom.agents.wake import Wake, wait_readable


@pytest.fixture
def wake():
    wake = Wake()
    yield wake
    wake.close()


def test_what_was_set_before_ends_the_wait_at_once(wake):
    wake.set()
    wake.wait(600)


def test_another_thread_ends_a_wait(wake):
    threading.Timer(0.05, wake.set).start()
    wake.wait(600)


def test_a_wait_that_nobody_ends_takes_its_time(wake):
    begun = time.monotonic()
    wake.wait(0.02)
    assert time.monotonic() - begun >= 0.02


def test_it_is_set_until_it_is_cleared(wake):
    wake.set()
    assert wait_readable([wake.fd], 0) == {wake.fd}
    wake.clear()
    assert wait_readable([wake.fd], 0) == set()


def test_setting_it_a_hundred_thousand_times_blocks_nobody(wake):
    for _ in range(100_000):
        wake.set()
    wake.clear()
    assert wait_readable([wake.fd], 0) == set()


def test_after_the_end_nobody_is_woken():
    wake = Wake()
    wake.close()
    wake.set()


def test_the_end_of_a_pipe_is_readable():
    reading, writing = os.pipe()
    os.close(writing)
    assert wait_readable([reading], None) == {reading}
    os.close(reading)
