import os
import subprocess
import sys

from besom.common.discovery import (
    API_VERSION,
    FILE,
    Discovery,
    boot_id,
    host_name,
    is_alive,
    process_started,
    read_discovery,
    write_discovery,
)


def of_this_process():
    return Discovery(
        url="http://127.0.0.1:1", pid=os.getpid(), pid_started=process_started(os.getpid()) or "", host=host_name(),
        boot_id=boot_id(), server_id="s", version="0", api=API_VERSION,
    )  # fmt: skip


def test_what_is_written_is_read(tmp_path):
    write_discovery(tmp_path, of_this_process())
    assert read_discovery(tmp_path) == of_this_process()


def test_nothing_and_rubbish_read_as_none(tmp_path):
    assert read_discovery(tmp_path) is None
    (tmp_path / FILE).write_text("{")
    assert read_discovery(tmp_path) is None
    (tmp_path / FILE).write_text('{"url": "x"}')
    assert read_discovery(tmp_path) is None


def test_a_live_process_is_alive():
    assert is_alive(of_this_process())


def test_another_start_of_the_same_pid_is_not_alive():
    assert not is_alive(of_this_process()._replace(pid_started="1"))


def test_another_host_or_boot_is_not_alive():
    assert not is_alive(of_this_process()._replace(host="elsewhere"))
    assert not is_alive(of_this_process()._replace(boot_id="before"))


def test_an_ended_process_has_no_start():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert process_started(child.pid) is None
