import time

import pytest

from besom.agents.guard import Guard


def wait_until(condition, timeout_s=20.0):
    """Waits for a condition, looking often; fails when it does not come true."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.01)


@pytest.fixture(name="wait_until")
def _wait_until():
    return wait_until


@pytest.fixture
def guard():
    guard = Guard()
    yield guard
    guard.close()
