from types import SimpleNamespace

import pytest

from besom.agents import shipping
from besom.agents.shipping import Shipping
from besom.client.run_folder import RunFolder


class Server:
    """A line that takes every byte and remembers it; ``order_waits`` is told with each answer."""

    def __init__(self):
        self.got = b""
        self.order_waits = False
        self.connection = self

    def call(self, method, path, *, data=b"", query=None):
        self.got += data
        return {"offset": len(self.got), "order_waits": self.order_waits}

    def reached(self, do):
        return do()

    def close(self):
        self.got += b"."


@pytest.fixture
def room(tmp_path):
    """A run folder with a row, a server, and who ships; ``fetched`` counts the orders that were fetched."""
    folder = RunFolder(tmp_path / "u1")
    folder.write_config({"uid": "u1"})
    row = folder.stream_file(1, folder.new_writer(1), "history")
    row.write_bytes(b"row")
    server, fetched = Server(), []
    shipping = Shipping(server, lambda: fetched.append(1))
    yield SimpleNamespace(folder=folder, file=row, server=server, shipping=shipping, fetched=fetched)
    shipping.close()


def test_a_run_that_goes_on_is_shipped(room, wait_until):
    room.shipping.begin(room.folder, 1)
    wait_until(lambda: room.server.got == b"row")
    room.file.write_bytes(b"row and more")
    wait_until(lambda: room.server.got == b"row and more")


def test_an_order_is_fetched_once(room, wait_until):
    room.server.order_waits = True
    room.shipping.begin(room.folder, 1)
    wait_until(lambda: room.fetched)
    room.file.write_bytes(b"row and more")
    wait_until(lambda: room.server.got == b"row and more")
    assert room.fetched == [1]


@pytest.fixture
def late_look(monkeypatch):
    """The thread looks so late that the run has ended before."""
    monkeypatch.setattr(shipping, "LOOK_S", 600.0)


@pytest.mark.usefixtures("late_look")
def test_a_run_that_ends_at_once_is_not_shipped_but_rests(room):
    room.shipping.begin(room.folder, 1)
    room.shipping.hold()
    assert room.shipping.rest() == ({"w1/history": 3}, {"w1/history": {"offset": 0, "data": "cm93"}})
    assert room.server.got == b""


@pytest.mark.usefixtures("late_look")
def test_a_large_rest_is_shipped_before_the_end_is_told(room):
    room.file.write_bytes(b"x" * 65_537)
    room.shipping.begin(room.folder, 1)
    room.shipping.hold()
    assert room.shipping.rest() is None
    room.shipping.ship_rest()
    assert room.shipping.offsets() == {"w1/history": 65_537}


def test_what_is_discarded_disappears(room, wait_until):
    room.shipping.discard(room.folder, 1, keep_log=False)
    wait_until(lambda: not room.folder.path.exists())


@pytest.mark.usefixtures("late_look")
def test_what_is_discarded_disappears_while_an_answer_is_awaited(room, wait_until):
    room.shipping.begin(room.folder, 1)
    room.shipping.discard(room.folder, 1, keep_log=False)
    room.shipping.clear_up_meanwhile()
    wait_until(lambda: not room.folder.path.exists())


def test_at_the_end_everything_discarded_is_gone(room):
    room.shipping.begin(room.folder, 1)
    room.shipping.hold()
    room.shipping.discard(room.folder, 1, keep_log=False)
    room.shipping.clear_up()
    assert not room.folder.path.exists()
