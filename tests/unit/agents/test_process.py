import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from besom.agents.guard import Guard
from besom.agents.process import Exit, Surroundings, start_fork, start_program
from besom.common.discovery import process_started


@pytest.fixture
def around(tmp_path, guard):
    troubles: list[str] = []
    return Surroundings(
        environ={**os.environ, "PYTHONUNBUFFERED": "1"}, folder=tmp_path, log=tmp_path / "console.log", guard=guard,
        on_trouble=troubles.append,
    )  # fmt: skip


def finish(child):
    """Waits for the end; (exit, everything it printed)."""
    shown = bytearray()
    while (end := child.poll()) is None:
        shown += child.next_piece(0.01) or b""
    child.close(shown.extend)
    return end, bytes(shown)


def python(code, around):
    return start_program([sys.executable, "-c", code], around)


def first_line(child):
    seen = bytearray()
    while b"\n" not in seen:
        seen += child.next_piece(1) or b""
    return seen.split(b"\n")[0]


def test_exit_code_and_signal_are_told_as_the_system_gave_them(around):
    assert finish(python("raise SystemExit(7)", around))[0] == Exit(7, None)
    assert finish(python("import os; os.kill(os.getpid(), 11)", around))[0] == Exit(None, 11)


def test_both_streams_are_shown_and_kept_byte_for_byte(around):
    code = "import os; os.write(1, bytes(range(256))); os.write(2, b'\\xff\\r half')"
    end, shown = finish(python(code, around))
    assert end == Exit(0, None)
    assert shown == bytes(range(256)) + b"\xff\r half"
    assert around.log.read_bytes() == shown


def test_a_megabyte_at_the_end_is_kept_whole(around):
    _, shown = finish(python("print('x' * 1_000_000)", around))
    assert len(shown) == around.log.stat().st_size == 1_000_001


def test_where_the_system_does_not_tell_of_an_end_it_is_seen_all_the_same(around, monkeypatch):
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    child = python("import os; os.close(1); os.close(2); import time; time.sleep(0.1)", around)
    while child.poll() is None:
        child.next_piece(None)
    assert finish(child) == (Exit(0, None), b"")


def test_an_end_that_prints_nothing_ends_the_wait(around):
    child = python("import os; os.close(1); os.close(2); import time; time.sleep(0.1)", around)
    while child.poll() is None:
        child.next_piece(None)
    assert finish(child) == (Exit(0, None), b"")


def test_stdin_is_at_its_end_at_once(around):
    assert finish(python("import sys; print(repr(sys.stdin.read()))", around))[1] == b"''\n"


def test_the_child_leads_a_group_and_session_of_its_own(around):
    code = "import os; print(os.getpid() == os.getpgid(0) == os.getsid(0))"
    assert finish(python(code, around))[1] == b"True\n"


def test_it_runs_in_the_given_folder_with_the_given_variables(around, tmp_path):
    code = "import os; print(os.getcwd(), sorted(os.environ) == sorted(%r))" % [*around.environ]
    assert finish(python(code, around))[1].split() == [str(tmp_path.resolve()).encode(), b"True"]


def test_what_is_not_executable_raises(around, tmp_path):
    (tmp_path / "data.txt").write_text("1")
    with pytest.raises(PermissionError):
        start_program([str(tmp_path / "data.txt")], around)
    with pytest.raises(FileNotFoundError):
        start_program([str(tmp_path / "none")], around)


def test_term_reaches_what_a_shell_runs(around):
    child = start_program(["/bin/sh", "-c", f"{sys.executable} -c 'import time; print(1); time.sleep(600)'; :"], around)
    first_line(child)
    child.terminate()
    assert finish(child)[0] == Exit(None, signal.SIGTERM)


def test_kill_ends_one_that_ignores_term(around):
    code = "import signal,time; signal.signal(15, signal.SIG_IGN); print(1); time.sleep(600)"
    child = python(code, around)
    first_line(child)
    child.terminate()
    assert child.poll() is None
    child.kill()
    assert finish(child)[0] == Exit(None, signal.SIGKILL)


def test_no_grandchild_survives_the_end(around, wait_until):
    child = python("import subprocess; print(subprocess.Popen(['sleep', '600']).pid, flush=True)", around)
    _, shown = finish(child)
    wait_until(lambda: process_started(int(shown)) is None)


def test_one_that_left_the_group_and_keeps_the_pipe_does_not_hold_us_up(around):
    code = "import subprocess; print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid)"
    _, shown = finish(python(code, around))
    os.kill(int(shown), signal.SIGKILL)


def test_a_full_disk_stops_the_log_and_not_the_run(around, tmp_path):
    troubles = []
    full = Surroundings(around.environ, tmp_path, Path("/dev/full"), around.guard, troubles.append)
    if not full.log.exists():
        pytest.skip("no /dev/full here")
    end, shown = finish(python("print('still here'); print('and here')", full))
    assert (end, shown) == (Exit(0, None), b"still here\nand here\n")
    assert len(troubles) == 1
    assert "no longer kept" in troubles[0]


def test_a_fork_is_a_child_like_any_other(around):
    def body():
        os.write(1, b"%d %d\n" % (os.getpid(), os.getsid(0)))
        return 3

    child = start_fork(body, around)
    end, shown = finish(child)
    assert end == Exit(3, None)
    assert shown.split() == [b"%d" % child.pid] * 2


def test_a_fork_takes_signals_as_a_fresh_process_does(around):
    def body():
        os.write(1, b"ready\n")
        threading.Event().wait()
        return 0

    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        child = start_fork(body, around)
        first_line(child)
        child.terminate()
        assert finish(child)[0] == Exit(None, signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


AGENT = """
import os, sys
from pathlib import Path
from besom.agents.guard import Guard
from besom.agents.process import Surroundings, start_program, start_fork
guard = Guard()
around = Surroundings(dict(os.environ), Path.cwd(), Path("console.log"), guard, print)
deep = "import subprocess,time; print(subprocess.Popen(['sleep', '600']).pid, flush=True); time.sleep(600)"
def body():
    exec(deep)
child = start_fork(body, around) if sys.argv[1] == "fork" else start_program([sys.executable, "-c", deep], around)
print(child.pid, child.next_piece(20).decode().strip(), flush=True)
import time; time.sleep(600)
"""


@pytest.mark.parametrize("way", ["exec", "fork"])
def test_child_and_grandchild_die_with_their_agent(way, tmp_path, wait_until):
    agent = subprocess.Popen([sys.executable, "-c", AGENT, way], cwd=tmp_path, stdout=subprocess.PIPE)
    pids = [int(pid) for pid in agent.stdout.readline().split()]
    assert all(process_started(pid) for pid in pids)
    agent.kill()
    agent.wait()
    agent.stdout.close()
    wait_until(lambda: all(process_started(pid) is None for pid in pids))


def test_a_guard_that_was_ended_is_replaced(guard, wait_until):
    guard.ensure()
    shell = guard._shell
    shell.kill()
    shell.wait()
    guard.ensure()
    assert guard._shell is not shell
    sleeper = subprocess.Popen(["sleep", "600"], start_new_session=True)
    guard.hold(sleeper.pid)
    guard.close()
    assert sleeper.wait() == -signal.SIGKILL


def test_a_dropped_group_outlives_the_guard():
    guard = Guard()
    guard.ensure()
    sleeper = subprocess.Popen(["sleep", "600"], start_new_session=True)
    guard.hold(sleeper.pid)
    guard.drop(sleeper.pid)
    guard.close()
    assert sleeper.poll() is None
    sleeper.kill()
    sleeper.wait()
