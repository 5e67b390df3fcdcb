from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from besom.common.discovery import API_VERSION, Discovery, write_discovery
from besom.errors import DataFolderError
from besom.server import lock

HOLD = """
import sys
from pathlib import Path
from besom.server import lock
held = lock.take(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the folder until its standard input closes."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"held\n"
        yield child
        child.kill()


def held_elsewhere(data, age_s=0.0, url="http://127.0.0.1:8766"):
    path = data / lock.FILE
    path.write_text(json.dumps({"host": "login1", "pid": 7}))
    os.utime(path, (path.stat().st_atime - age_s, path.stat().st_mtime - age_s))
    write_discovery(data, Discovery(url, 7, "1", "login1", "boot", "server", "0.1.0", API_VERSION))


def test_a_folder_is_held_by_one_process(tmp_path, holder):
    with pytest.raises(lock.Served):
        lock.take(tmp_path)


def test_a_holder_that_was_killed_holds_nothing(tmp_path, holder):
    holder.kill()
    holder.wait()

    lock.take(tmp_path).release()


def test_it_waits_for_a_holder_that_is_ending(tmp_path, holder):
    holder.stdin.close()

    lock.take(tmp_path, wait_s=30.0).release()


def test_it_waits_no_longer_than_there_is_a_point_in_it(tmp_path, holder):
    with pytest.raises(lock.Served):
        lock.take(tmp_path, wait_s=3600.0, give_up=lambda: True)


def test_a_living_server_of_another_host_holds_the_folder(tmp_path):
    held_elsewhere(tmp_path)

    with pytest.raises(lock.ServedElsewhere) as refused:
        lock.take(tmp_path)
    assert str(refused.value) == (
        "the server runs on login1, bound to loopback: start it there with `besom server start --host login1` "
        "and run `besom login --host http://login1:PORT` here"
    )


def test_a_server_of_another_host_that_can_be_reached_is_named(tmp_path):
    held_elsewhere(tmp_path, url="http://login1:8766")

    with pytest.raises(lock.ServedElsewhere, match="run `besom login --host http://login1:8766` here"):
        lock.take(tmp_path)


def test_a_server_of_another_host_that_fell_silent_is_no_obstacle(tmp_path):
    held_elsewhere(tmp_path, age_s=lock.SILENT_AFTER_S + 1)

    lock.take(tmp_path).release()


def test_nothing_is_left_for_other_hosts_after_the_end(tmp_path):
    lock.take(tmp_path).release()
    assert (tmp_path / lock.FILE).read_bytes() == b""


def test_a_beat_makes_the_file_young(tmp_path):
    held = lock.take(tmp_path)
    os.utime(tmp_path / lock.FILE, (0, 0))

    held.beat()

    assert (tmp_path / lock.FILE).stat().st_mtime > 1e9
    held.release()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFolderError, match="cannot be used"):
        lock.take(tmp_path / "file")


def test_a_holder_that_was_superseded_notices_and_leaves_the_other_alone(tmp_path):
    held = lock.take(tmp_path)
    other = json.dumps({"host": "login1", "pid": 7})
    (tmp_path / lock.FILE).write_text(other)

    with pytest.raises(lock.TakenOver, match="login1"):
        held.beat()
    held.release()

    assert (tmp_path / lock.FILE).read_text() == other


def test_a_lock_file_that_was_removed_is_made_again_and_keeps_others_out(tmp_path):
    held = lock.take(tmp_path)
    (tmp_path / lock.FILE).unlink()

    held.beat()

    with pytest.raises(lock.Served):
        lock.take(tmp_path)
    held.release()
