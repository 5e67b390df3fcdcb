"""The sender of a run without an agent, on a small real server."""

import json
import socket

import pytest
from workshop import wait_until

from besom.client import sender as senders
from besom.client.connection import Connection
from besom.client.run_folder import RunFolder
from besom.client.sender import Sender
from besom.common.spool_format import MAX_POST_BYTES
from besom.errors import ServerUnreachable, UsageError

HOW = {"exit_code": 0, "error": None, "stopped_by": None, "preempting": False}
RUN = "/api/v1/runs/uid1/attempts/1"
STREAM = f"{RUN}/streams/w1/history"


class CountingFolder(RunFolder):
    """Counts how often the disk was asked to hold on to what was written."""

    fsyncs = 0

    def fsync(self, attempt):
        self.fsyncs += 1
        super().fsync(attempt)


@pytest.fixture
def folder(tmp_path):
    folder = CountingFolder(tmp_path / "uid1")
    new_run = {"uid": "uid1", "name": "a", "display_name": None, "project": "p"}
    folder.write_config({"uid": "uid1", "new_run": new_run})
    folder.new_writer(1)
    return folder


@pytest.fixture
def write(folder):
    return lambda content: folder.stream_file(1, "w1", "history").write_bytes(content)


@pytest.fixture
def sender(folder, server):
    """A sender that knows the server; its connection is closed at the end."""
    line = Connection(server.url, "t")
    yield Sender(folder, 1, lambda start: line)
    line.close()


def asked(server):
    return [(method, path) for method, path, *_ in server.requests]


def test_a_short_run_costs_two_requests(server, folder, sender, write):
    sender.introduce()
    write(b"rows")
    sender.start()
    assert sender.finish(HOW, 30.0)
    assert asked(server) == [("POST", "/api/v1/runs"), ("POST", f"{RUN}/finish")]
    assert len(server.introductions) == 1
    assert server.streams[STREAM.removeprefix("/api/v1/")] == b"rows"
    assert not folder.path.exists()


def test_a_long_run_comes_in_pieces_of_bounded_size(server, sender, write):
    content = bytes(range(256)) * 4096
    write(content)
    sender.introduce()
    sender.start()
    assert sender.finish(HOW, 30.0)
    assert server.streams[STREAM.removeprefix("/api/v1/")] == content
    posts = [body for method, path, _, body, _ in server.requests if (method, path) == ("POST", STREAM)]
    assert max(map(len, posts)) <= MAX_POST_BYTES
    assert len(posts) == len(content) // MAX_POST_BYTES


def test_an_end_that_is_refused_for_missing_rows_is_told_after_asking_what_is_there(server, sender, write):
    server.answers[f"POST {RUN}/finish"] = [(409, {"kind": "Refused", "detail": "rows are missing"})]
    write(b"rows")
    sender.introduce()
    sender.start()
    assert sender.finish(HOW, 30.0)
    assert asked(server)[1:] == [
        ("POST", f"{RUN}/finish"), ("GET", STREAM), ("POST", STREAM), ("POST", f"{RUN}/finish"),
    ]  # fmt: skip
    assert server.ends["uid1"] == {**HOW, "offsets": {"w1/history": 4}, "rest": {}}


def test_rows_that_the_server_had_already_are_not_sent_twice(server, sender, write):
    server.streams[STREAM.removeprefix("/api/v1/")] = b"ro"
    write(b"rows" * MAX_POST_BYTES)
    sender.introduce()
    sender.start()
    assert sender.finish(HOW, 30.0)
    assert server.streams[STREAM.removeprefix("/api/v1/")] == b"rows" * MAX_POST_BYTES


def test_a_server_that_fails_again_and_again_is_told_once(server, sender, write, capsys, monkeypatch):
    monkeypatch.setattr(senders, "LOOK_S", 0.01)
    server.answers[f"POST {RUN}/finish"] = [(500, {"kind": "ServerError", "detail": "the server failed"})] * 2
    write(b"rows")
    sender.introduce()
    sender.start()
    assert sender.finish(HOW, 30.0)
    assert capsys.readouterr().err.count("the server failed") == 1


def test_a_server_that_moved_is_found_at_its_new_address(server, folder, write):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}"
    write(b"rows")
    lines = {True: Connection(nobody, "t"), False: Connection(server.url, "t")}
    sender = Sender(folder, 1, lines.__getitem__)
    sender.start()
    assert sender.finish(HOW, 30.0)
    assert json.loads(server.requests[0][3])["uid"] == "uid1"
    lines[False].close()


def test_another_server_at_the_new_address_gets_nothing(server, folder, write):
    sender = Sender(folder, 1, lambda start: Connection(server.url, "t"))
    sender.introduce()
    ours, server.server_id = server.server_id, "theirs"
    sender.connection.close()
    write(b"rows")
    sender.start()
    assert not sender.finish(HOW, 1.0)
    assert asked(server) == [("POST", "/api/v1/runs")]
    assert folder.path.exists()
    # When the right one is back it gets everything, and the thread comes to its end.
    server.server_id = ours
    assert sender.finish(HOW, 30.0)


def test_what_was_written_is_made_safe_while_no_server_answers(folder, write, monkeypatch):
    monkeypatch.setattr(senders, "FSYNC_S", 0.01)
    trouble = [ServerUnreachable("away")]

    def connect(start):
        raise trouble[-1]

    write(b"rows")
    sender = Sender(folder, 1, connect)
    sender.start()
    wait_until(lambda: folder.fsyncs >= 2)
    # A refusal ends the thread.
    trouble.append(UsageError("not now"))
    assert not sender.finish(HOW, 30.0)
