"""What dead processes left, and who may send it."""

import fcntl
import os

import pytest

from besom.client.connection import Connection
from besom.client.left_behind import ship
from besom.client.run_folder import RunFolder, this_process
from besom.common.spool_format import HEADER


@pytest.fixture
def connection(server):
    connection = Connection(server.url, "t", server_id="ours")
    yield connection
    connection.close()


@pytest.fixture
def leave(tmp_path):
    """Makes the folder of a run whose process is gone."""

    def leave(uid="uid1", *, alive=False, **facts):
        folder = RunFolder(tmp_path / uid)
        new_run = {"uid": uid, "name": uid, "display_name": None, "project": "p"}
        known = {"uid": uid, "name": uid, "new_run": new_run, "mode": "online", "meant_for": "", "server": "ours"}
        folder.write_config({**known, **facts})
        folder.write_owner("process", this_process() if alive else {**this_process(), "pid_started": "0"})
        folder.stream_file(1, folder.new_writer(1), "history").write_bytes(HEADER)
        return folder

    return leave


@pytest.fixture
def said(tmp_path, connection):
    """Ships what is there and returns the lines for the user; ``meant_for`` is the address he gave."""

    def said(meant_for=""):
        lines = []
        ship(tmp_path, connection, meant_for, lines.append)
        return lines

    return said


def test_what_a_dead_process_left_is_sent_and_told(server, leave, said):
    folder = leave()
    assert said() == ["sent what run uid1 had left on this machine"]
    assert server.streams == {"runs/uid1/attempts/1/streams/w1/history": HEADER}
    assert server.ends["uid1"]["error"] == "the process ended without saying how"
    assert not folder.path.exists()


def test_a_run_that_died_before_its_first_record_is_ended(server, leave, said):
    folder = leave()
    folder.stream_file(1, "w1", "history").unlink()
    said()
    assert list(server.ends) == ["uid1"]
    assert not folder.path.exists()


def test_a_run_that_was_never_introduced_goes_where_it_was_meant_to_go(server, leave, said):
    leave("uid1", server=None, meant_for="http://host:1")
    leave("uid2", server=None, meant_for="")
    said("http://host:1")
    assert list(server.runs) == ["uid1"]
    said("")
    assert list(server.runs) == ["uid1", "uid2"]


@pytest.mark.parametrize(
    "how", [{"alive": True}, {"server": "theirs"}, {"mode": "offline"}], ids=["alive", "another server", "offline"]
)
def test_what_is_somebody_elses_is_left_alone(server, leave, said, how):
    folder = leave(**how)
    assert said() == []
    assert server.requests == []
    assert folder.path.exists()


def test_what_an_agent_watched_is_left_to_agents(server, leave, said):
    leave().agent_file(1).write_text('{"pid": 1}')
    assert said() == []
    assert server.requests == []


def test_what_another_process_ships_just_now_is_left_to_it(server, leave, said):
    descriptor = os.open(leave().path / "config.json", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    said()
    assert server.requests == []
    os.close(descriptor)
    said()
    assert list(server.ends) == ["uid1"]


def test_a_refusal_is_told_once_and_left_to_a_person(server, leave, said):
    server.answers["POST /api/v1/runs"] = [(409, {"kind": "Refused", "detail": "the name is taken"})]
    folder = leave()
    (line,) = said()
    assert line.endswith(f"in {folder.path} was not sent: the name is taken")
    assert said() == []
    assert folder.path.exists()


def test_a_server_that_goes_away_leaves_it_for_another_time(server, leave, said):
    server.answers["POST /api/v1/runs"] = [(503, {})]
    leave()
    assert said() == []
    assert said() == ["sent what run uid1 had left on this machine"]


def test_a_folder_whose_process_died_while_it_cleared_up_disappears(server, leave, said):
    folder = leave()
    folder.mark_done(1)
    assert said() == []
    assert server.requests == []
    assert not folder.path.exists()
