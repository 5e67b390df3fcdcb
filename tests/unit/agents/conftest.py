import pytest

from besom.agents.guard import Guard


@pytest.fixture
def guard():
    guard = Guard()
    yield guard
    guard.close()
