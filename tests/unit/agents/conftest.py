import pytest
from workshop import wait_until_fixture

from besom.agents.guard import Guard

__all__ = ["wait_until_fixture"]


@pytest.fixture
def guard():
    guard = Guard()
    yield guard
    guard.close()
