import json
import os

import pytest

from besom.client.connection import Connection
from besom.client.run_folder import RunFolder, this_process
from besom.client.shipping import FolderShipper, Shipper, sync_folder
from besom.common.spool_format import MAX_POST_BYTES
from besom.errors import NotFound, ServerUnreachable

KEY = "runs/uid1/attempts/1/streams/w1/history"


@pytest.fixture
def folder(tmp_path):
    folder = RunFolder(tmp_path / "uid1")
    folder.write_config({"uid": "uid1", "new_run": {"uid": "uid1", "name": "a", "display_name": None, "project": "p"}})
    folder.new_writer(1)
    return folder


@pytest.fixture
def file(folder):
    return folder.stream_file(1, "w1", "history")


@pytest.fixture
def connection(server):
    connection = Connection(server.url, "t")
    yield connection
    connection.close()


@pytest.fixture
def shipper(connection, file):
    return Shipper(connection, "uid1", 1, "w1", "history", file)


def posts(server):
    return [request for request in server.requests if request[0] == "POST" and "streams" in request[1]]


def test_every_byte_arrives_in_pieces_of_bounded_size(server, shipper, file):
    content = os.urandom(MAX_POST_BYTES * 2 + 100)
    file.write_bytes(content)
    assert shipper.ship() is True
    assert server.streams[KEY] == content
    assert [len(request[3]) for request in posts(server)] == [MAX_POST_BYTES, MAX_POST_BYTES, 100]


def test_a_second_call_sends_only_what_is_new(server, shipper, file):
    file.write_bytes(b"abc")
    shipper.ship()
    with file.open("ab") as more:
        more.write(b"def")
    assert shipper.ship() is True
    assert [request[3] for request in posts(server)] == [b"abc", b"def"]
    assert shipper.offset == 6


def test_a_new_shipper_asks_where_to_go_on(server, connection, shipper, file):
    file.write_bytes(b"abcdef")
    server.streams[KEY] = b"abc"
    assert Shipper(connection, "uid1", 1, "w1", "history", file).ship() is True
    assert [request[3] for request in posts(server)] == [b"def"]


def test_two_shippers_of_one_file_store_each_byte_once(server, connection, shipper, file):
    other = Shipper(connection, "uid1", 1, "w1", "history", file)
    file.write_bytes(b"abc")
    shipper.ship()
    other.ship()
    with file.open("ab") as more:
        more.write(b"def")
    shipper.ship()
    other.ship()
    assert server.streams[KEY] == b"abcdef"


def test_a_server_that_lost_bytes_gets_them_again(server, shipper, file):
    file.write_bytes(b"abcdef")
    shipper.ship()
    server.streams[KEY] = b"ab"
    with file.open("ab") as more:
        more.write(b"g")
    assert shipper.ship() is True
    assert server.streams[KEY] == b"abcdefg"


def test_few_posts_leave_the_rest_for_the_next_call(server, shipper, file):
    file.write_bytes(os.urandom(MAX_POST_BYTES * 3))
    assert shipper.ship(most_posts=2) is False
    assert shipper.ship(most_posts=2) is True


def test_a_file_that_is_not_there_needs_nothing(server, connection, folder):
    assert Shipper(connection, "uid1", 1, "w9", "history", folder.path / "nowhere").ship() is True
    assert server.requests == []


def test_a_server_that_is_away_loses_nothing(server, shipper, file):
    file.write_bytes(b"abc")
    server.answers[f"POST /api/v1/{KEY}"] = [(503, {})]
    with pytest.raises(ServerUnreachable):
        shipper.ship()
    assert shipper.ship() is True
    assert server.streams[KEY] == b"abc"


def test_a_refusal_is_raised(server, shipper, file):
    file.write_bytes(b"abc")
    server.answers[f"GET /api/v1/{KEY}"] = [(404, {"kind": "NotFound", "detail": "the run was deleted"})]
    with pytest.raises(NotFound, match="deleted"):
        shipper.ship()


def test_a_folder_ships_streams_that_appear_later(server, connection, folder, file):
    shipper = FolderShipper(connection, folder, 1)
    file.write_bytes(b"abc")
    assert shipper.ship() is True
    second = folder.stream_file(1, folder.new_writer(1), "history")
    second.write_bytes(b"defg")
    (folder.path / "1-agent").mkdir()
    folder.stream_file(1, "agent", "console").write_bytes(b"printed")
    assert shipper.ship() is True
    assert shipper.offsets() == {"w1/history": 3, "w2/history": 4, "agent/console": 7}


def test_sync_introduces_sends_and_ends_a_run_whose_process_is_gone(server, connection, folder, file):
    file.write_bytes(b"abc")
    folder.write_end(1, {"exit_code": 0, "error": None})
    assert sync_folder(connection, folder) == "sent"
    assert server.runs["uid1"]["name"] == "a"
    assert server.ends["uid1"] == {"exit_code": 0, "error": None, "offsets": {"w1/history": 3}}
    assert not folder.path.exists()


def test_sync_ends_a_run_that_was_killed_without_a_word(server, connection, folder, file):
    file.write_bytes(b"abc")
    sync_folder(connection, folder)
    assert server.ends["uid1"]["error"] == "the process ended without saying how"
    assert "exit_code" not in server.ends["uid1"]


def test_sync_leaves_the_end_of_a_living_run_to_its_process(server, connection, folder, file):
    file.write_bytes(b"abc")
    folder.write_owner("process", this_process())
    assert sync_folder(connection, folder) == "still running"
    assert server.streams[KEY] == b"abc"
    assert server.ends == {}
    assert folder.path.exists()


def test_sync_sends_only_rows_of_a_run_that_has_an_agent(server, connection, folder, file):
    folder.write_config({"uid": "uid1"})
    file.write_bytes(b"abc")
    assert sync_folder(connection, folder) == "sent"
    assert server.streams[KEY] == b"abc"
    assert server.ends == server.runs == {}


def test_sync_tells_the_end_that_a_dead_agent_has_kept(server, connection, folder, file):
    folder.write_config({"uid": "uid1"})
    file.write_bytes(b"abc")
    dead = {**this_process(), "pid_started": "0"}
    folder.agent_file(1).write_text(json.dumps({**dead, "end": {"exit_code": 0}}))
    assert sync_folder(connection, folder) == "sent"
    assert server.ends["uid1"] == {"exit_code": 0, "offsets": {"w1/history": 3}}


def test_sync_leaves_the_end_of_a_run_to_its_living_agent(server, connection, folder, file):
    folder.write_config({"uid": "uid1"})
    file.write_bytes(b"abc")
    folder.agent_file(1).write_text(json.dumps({**this_process(), "end": None}))
    assert sync_folder(connection, folder) == "still running"
    assert (server.ends, folder.path.exists()) == ({}, True)


def test_the_rest_goes_along_with_the_end_while_it_is_small(connection, folder, file):
    file.write_bytes(b"abcd")
    shipper = FolderShipper(connection, folder, 1)
    assert shipper.rest(4) == ({"w1/history": 4}, {"w1/history": {"offset": 0, "data": "YWJjZA=="}})
    assert shipper.rest(3) is None


def test_the_rest_begins_where_shipping_ended(connection, folder, file):
    file.write_bytes(b"abcd")
    shipper = FolderShipper(connection, folder, 1)
    shipper.ship()
    assert shipper.rest(0) == ({"w1/history": 4}, {})
    file.write_bytes(b"abcdef")
    assert shipper.rest(2) == ({"w1/history": 6}, {"w1/history": {"offset": 4, "data": "ZWY="}})


def test_sync_has_nothing_to_do_for_what_is_done(server, connection, folder, file):
    file.write_bytes(b"abc")
    folder.mark_done(1)
    assert sync_folder(connection, folder) == "nothing to send"
    assert server.requests == []
