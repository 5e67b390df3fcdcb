import os
import resource
import subprocess
import time

import pytest

from besom.agents import leftovers
from besom.agents.leftovers import ROOM_BYTES, check_room, clear_up, clear_up_folder, remove
from besom.agents.notes import Note
from besom.client.run_folder import RunFolder, this_process
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
    note(folder)
    return folder


def note(folder, server="server1", attempt=1, process=None, **facts):
    """Writes the note of an agent, a dead one unless told otherwise."""
    written = Note(folder, attempt, process or {**this_process(), "pid_started": "0"}, "agent1", server)
    written.add(**facts)
    written.close()


class NoServer:
    """A line that must not be used."""

    connection = None
    server_id = "server1"


def names(path):
    return sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())


def test_a_shipped_run_leaves_nothing(folder):
    remove(folder, 1)
    assert not folder.path.exists()
    remove(folder, 1)


def test_files_that_the_script_saved_stay(folder):
    folder.files.mkdir()
    (folder.files / "model.pt").touch()
    remove(folder, 1)
    assert names(folder.path) == ["files/model.pt"]


def test_of_a_failed_run_the_log_stays_and_the_rows_go(folder):
    remove(folder, 1, keep_log=True)
    assert names(folder.path) == ["1-0/console.log", "config.json", "done-1", "kept-log"]


def test_a_kept_log_goes_after_a_week(folder):
    remove(folder, 1, keep_log=True)
    clear_up(folder.path.parent, NoServer(), print)
    assert folder.path.exists()
    old = time.time() - leftovers.KEEP_LOGS_S - 1
    os.utime(folder.path / "kept-log", (old, old))
    clear_up(folder.path.parent, NoServer(), print)
    assert not folder.path.exists()


def test_an_empty_folder_goes_unless_it_is_just_being_made(tmp_path):
    (tmp_path / "u1").mkdir()
    clear_up(tmp_path, NoServer(), print)
    assert (tmp_path / "u1").exists()
    os.utime(tmp_path / "u1", (1, 1))
    clear_up(tmp_path, NoServer(), print)
    assert not (tmp_path / "u1").exists()


def test_what_a_living_agent_holds_is_its_own(folder):
    note(folder, process=this_process())
    clear_up(folder.path.parent, NoServer(), print)
    assert folder.agents()


def test_what_belongs_to_another_server_stays_and_its_orphan_is_ended(folder):
    orphan = subprocess.Popen(["sleep", "600"], start_new_session=True)
    child = {"pid": orphan.pid, "started": process_started(orphan.pid)}
    note(folder, "server2", child=child)
    clear_up(folder.path.parent, NoServer(), print)
    assert orphan.wait() == -9
    assert "1-w1/history.bin" in names(folder.path)


def test_another_process_with_the_childs_number_is_left_alone(folder):
    other = subprocess.Popen(["sleep", "600"], start_new_session=True)
    child = {"pid": other.pid, "started": "1"}
    note(folder, "server2", child=child)
    clear_up(folder.path.parent, NoServer(), print)
    assert other.poll() is None
    other.kill()
    other.wait()


def test_what_another_host_left_is_not_ours(folder):
    note(folder, process={**this_process(), "pid_started": "0", "host": "elsewhere"})
    clear_up(folder.path.parent, NoServer(), print)
    assert folder.agents()


def test_what_cannot_be_seen_from_here_is_not_ours(folder):
    note(folder, process={**this_process(), "pid_started": "0", "pid_space": "pid:[1]"})
    clear_up(folder.path.parent, NoServer(), print)
    assert folder.agents()


def test_an_end_that_the_server_has_heard_is_not_told_again(folder):
    note(folder, told=True)
    clear_up_folder(folder, NoServer(), print)
    assert not folder.path.exists()


def test_another_attempt_of_the_same_run_keeps_its_rows(folder):
    (folder.path / "2-w1").mkdir()
    (folder.path / "2-w1" / "history.bin").write_bytes(b"more")
    note(folder, attempt=2, process=this_process())
    remove(folder, 1)
    assert names(folder.path) == ["2-w1/history.bin", "agent-2.json", "config.json"]
    remove(folder, 2)
    assert not folder.path.exists()


def test_a_note_that_gets_shorter_stays_whole(folder):
    written = Note(folder, 1, this_process(), "agent1", "server1")
    written.add(end={"error": "x" * 1000})
    written.add(end=None, told=True)
    written.close()
    assert folder.agents()[1]["told"]


def neighbour(**facts):
    me = this_process()
    held = [{"uid": "run1", "attempt": 2, "slot": 0}]
    place = leftovers.process_place()
    return {"uid": "a" * 16, "pid": me["pid"], "process_started": "0", "boot_id": place, "runs": held, **facts}


class Ear:
    """A line that keeps what is told."""

    def __init__(self):
        self.heard = []

    def ask(self, method, path, body):
        self.heard.append((method, path, sorted(body)))


def test_a_neighbour_that_died_before_it_noted_its_run_is_reported():
    ear, said = Ear(), []
    leftovers.tell_of_dead([neighbour()], {("run1", 1)}, ear, said.append)
    assert ear.heard == [("POST", "/api/v1/runs/run1/attempts/2/finish", ["error"])]
    assert "aaaaaaaa" in said[0]


def test_what_was_found_in_its_folder_is_not_reported_again():
    ear = Ear()
    leftovers.tell_of_dead([neighbour()], {("run1", 2)}, ear, print)
    assert ear.heard == []


@pytest.mark.parametrize(
    "facts",
    [{"process_started": this_process()["pid_started"]}, {"boot_id": "another"}, {"boot_id": ""}, {"pid": 0}],
    ids=["lives", "other boot", "unknown boot", "no pid"],
)
def test_a_neighbour_that_may_live_is_left_to_its_lease(facts):
    ear = Ear()
    leftovers.tell_of_dead([neighbour(**facts)], set(), ear, print)
    assert ear.heard == []


def test_without_any_run_folder_there_is_nothing_to_do(tmp_path):
    clear_up(tmp_path / "none", NoServer(), print)


def test_a_full_disk_is_found_before_a_run_is_taken(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES - 1, hard))
        with pytest.raises(OSError, match="File too large"):
            check_room(tmp_path / "runs")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    check_room(tmp_path / "runs")
    assert names(tmp_path) == []
