import os
import subprocess
import sys

import pytest

from besom.client.run_folder import RunFolder, owner_is_alive, this_process
from besom.errors import UsageError


@pytest.fixture
def folder(tmp_path):
    folder = RunFolder(tmp_path / "runs" / "uid1")
    folder.write_config({"uid": "uid1", "params": {"lr": 0.1}})
    return folder


def put(folder, *names):
    for name in names:
        file = folder.path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"x")


def test_the_config_comes_back(folder):
    assert folder.config() == {"uid": "uid1", "params": {"lr": 0.1}}
    assert folder.uid == "uid1"


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_broken_config_is_a_sentence(folder, text):
    (folder.path / "config.json").write_text(text)
    with pytest.raises(UsageError, match="the run folder is not whole"):
        folder.config()
    assert folder.known() == {}


def test_writers_get_names_of_their_own(folder):
    assert [folder.new_writer(1), folder.new_writer(1), folder.new_writer(2)] == ["w1", "w2", "w1"]


def test_streams_are_found_in_order(folder):
    put(folder, "2-w1/history.bin", "1-w2/history.bin", "1-w1/history.bin", "1-agent/console.log", "x-1/history.bin",
        "files/history.bin", "1-w1/reads")  # fmt: skip
    found = [(stream.attempt, stream.writer, stream.kind) for stream in folder.streams()]
    assert found == [(1, "agent", "console"), (1, "w1", "history"), (1, "w2", "history"), (2, "w1", "history")]
    assert [stream.attempt for stream in folder.streams(2)] == [2]


def test_a_folder_that_is_not_there_has_no_streams(tmp_path):
    assert RunFolder(tmp_path / "nowhere").streams() == []


def test_the_stop_flag_has_a_reason_until_it_is_cleared(folder):
    assert folder.stop_reason() is None
    folder.ask_to_stop("step 9")
    assert folder.stop_reason() == "step 9"
    folder.clear_stop()
    folder.clear_stop()
    assert folder.stop_reason() is None


def test_done_and_end_are_by_attempt(folder):
    folder.write_end(1, {"exit_code": 1})
    folder.mark_done(1)
    assert (folder.is_done(1), folder.is_done(2)) == (True, False)
    assert (folder.end(1), folder.end(2)) == ({"exit_code": 1}, None)


def test_discarding_keeps_saved_files(folder):
    put(folder, "1-w1/history.bin")
    (folder.files).mkdir()
    put(folder, "files/model.pt")
    folder.discard()
    assert folder.streams() == []
    assert (folder.files / "model.pt").exists()


def test_discarding_removes_a_folder_without_files(folder):
    put(folder, "1-w1/history.bin")
    folder.discard()
    assert not folder.path.exists()


def test_this_process_is_alive():
    assert owner_is_alive(this_process())


def test_a_process_that_ended_is_not_alive():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = {**this_process(), "pid": child.pid}
    child.communicate()
    owner["pid_started"] = "0"
    assert not owner_is_alive(owner)


@pytest.mark.parametrize(
    ("change", "alive"),
    [({"host": "elsewhere"}, True), ({"boot_id": "another boot"}, False), ({"pid_started": "1"}, False)],
)
def test_owners_on_other_hosts_and_boots(change, alive):
    assert owner_is_alive({**this_process(), **change}) is alive


def test_nobody_is_not_alive():
    assert not owner_is_alive(None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_not_writable(folder):
    folder.path.chmod(0o500)
    assert not folder.is_writable()
    folder.path.chmod(0o700)


def test_a_missing_folder_is_not_writable(tmp_path):
    assert not RunFolder(tmp_path / "nowhere").is_writable()
