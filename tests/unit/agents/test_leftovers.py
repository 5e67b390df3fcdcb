import os
import subprocess
import time

import pytest

from besom.agents import leftovers
from besom.agents.leftovers import clear_up, owner_facts, remove
from besom.client.run_folder import RunFolder
from besom.common.discovery import process_started


@pytest.fixture
def folder(tmp_path):
    """A run folder with a spool, a log and the facts of an agent that has died."""
    folder = RunFolder(tmp_path / "runs" / "u1")
    folder.write_config({"uid": "u1", "name": "r1"})
    (folder.path / "1-w1").mkdir()
    (folder.path / "1-w1" / "history.bin").write_bytes(b"rows")
    (folder.path / "1-0").mkdir()
    (folder.path / "1-0" / "console.log").write_bytes(b"text")
    folder.write_owner("agent", dead(owner_facts("agent1", "server1", 1, None)))
    return folder


def dead(owner):
    return {**owner, "agent": {**owner["agent"], "started": "0"}}


class NoServer:
    """A line that must not be used."""

    connection = None
    server_id = "server1"


def names(path):
    return sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())


def test_a_shipped_run_leaves_nothing(folder):
    remove(folder)
    assert not folder.path.exists()
    remove(folder)


def test_files_that_the_script_saved_stay(folder):
    folder.files.mkdir()
    (folder.files / "model.pt").touch()
    remove(folder)
    assert names(folder.path) == ["files/model.pt"]


def test_of_a_failed_run_the_log_stays_and_the_rows_go(folder):
    folder.mark_done(1)
    remove(folder, keep_log=True)
    assert names(folder.path) == ["1-0/console.log", "config.json", "done-1", "kept-log"]


def test_a_kept_log_goes_after_a_week(folder):
    remove(folder, keep_log=True)
    clear_up(folder.path.parent, NoServer(), print)
    assert folder.path.exists()
    old = time.time() - leftovers.KEEP_LOGS_S - 1
    os.utime(folder.path / "kept-log", (old, old))
    clear_up(folder.path.parent, NoServer(), print)
    assert not folder.path.exists()


def test_what_a_living_agent_holds_is_its_own(folder):
    folder.write_owner("agent", owner_facts("agent1", "server1", 1, None))
    clear_up(folder.path.parent, NoServer(), print)
    assert folder.owner("agent")


def test_what_belongs_to_another_server_stays_and_its_orphan_is_ended(folder):
    orphan = subprocess.Popen(["sleep", "600"], start_new_session=True)
    child = {"pid": orphan.pid, "started": process_started(orphan.pid)}
    folder.write_owner("agent", dead(owner_facts("agent1", "server2", 1, child)))
    clear_up(folder.path.parent, NoServer(), print)
    assert orphan.wait() == -9
    assert "1-w1/history.bin" in names(folder.path)


def test_another_process_with_the_childs_number_is_left_alone(folder):
    other = subprocess.Popen(["sleep", "600"], start_new_session=True)
    child = {"pid": other.pid, "started": "1"}
    folder.write_owner("agent", dead(owner_facts("agent1", "server2", 1, child)))
    clear_up(folder.path.parent, NoServer(), print)
    assert other.poll() is None
    other.kill()
    other.wait()


def test_what_another_host_left_is_not_ours(folder):
    folder.write_owner("agent", {**dead(owner_facts("agent1", "server1", 1, None)), "host": "elsewhere"})
    clear_up(folder.path.parent, NoServer(), print)
    assert folder.owner("agent")


def test_without_any_run_folder_there_is_nothing_to_do(tmp_path):
    clear_up(tmp_path / "none", NoServer(), print)
