import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from besom.agents.function import FunctionStarter, must_spawn, write_payload
from besom.agents.in_thread import ThreadCall
from besom.agents.process import Exit
from besom.errors import UsageError

# What a function does depends on its run: its id is in the environment, as a script's is.
HOW = {
    "fine": "print('fine', os.environ['BESOM_RUN_ID'], flush=True)",
    "raises": "print('before'); 1 / 0",
    "exits": "sys.exit(4)",
    "c code": "print('ready', flush=True); sum(range(10**12))",
    "litters": "os.environ.update(BESOM_URL='x', STRAY='1'); del os.environ['BESOM_RUN_UID']",
    "looks around": "print(*(os.environ.get(name) for name in ('BESOM_URL', 'STRAY', 'BESOM_RUN_UID')))",
    "pid": "print(os.getpid(), flush=True)",
    "cwd": "print(os.getcwd())",
    "reads stdin": "print(repr(sys.stdin.read()))",
}

# Forked and spawned children are tried from a program without threads, as users' programs are.
PROGRAM = """
import os, sys, json
from pathlib import Path
from besom.agents.environment import RunFacts
from besom.agents import function as module
from besom.agents.function import FunctionStarter
from besom.agents.guard import Guard

isolation, spawn, *runs = json.loads(sys.argv[1])
if spawn:
    module.must_spawn = lambda: True
outer = "a global of the script"

def train():
    exec({how!r}[os.environ["BESOM_RUN_ID"]], dict(os=os, sys=sys))
    assert outer == "a global of the script"

folder = Path.cwd() / "runs"
folder.mkdir()
guard = Guard()
starter = FunctionStarter(train, dict(os.environ), isolation)
for number, name in enumerate(runs):
    run = RunFacts("u", name, 1, {{"x": 1}}, "t", "s", "e", "p", "a", "http://127.0.0.1:1", folder)
    child = starter.start(run, folder / f"{{number}}.log", guard, print)
    shown = bytearray()
    while (end := child.poll()) is None:
        piece = child.next_piece(0.05)
        shown += piece or b""
        if piece and shown.endswith(b"ready\\n"):
            child.terminate()
    child.close(shown.extend)
    log = folder / f"{{number}}.log"
    assert (log.read_bytes() if log.exists() else b"") == bytes(shown)
    print(json.dumps([end.code, end.signal, shown.decode()]), flush=True)
starter.close()
guard.close()
print(json.dumps([os.environ.get("BESOM_RUN_ID"), list(Path(os.environ["TMPDIR"]).iterdir()) == [], outer]))
"""


def play(tmp_path, isolation, spawn, *runs):
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM).format(how=HOW))
    (tmp_path / "tmp").mkdir()
    done = subprocess.run(
        [sys.executable, program, json.dumps([isolation, spawn, *runs])], cwd=tmp_path, capture_output=True,
        text=True, timeout=60, check=False, env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *ends, after = map(json.loads, done.stdout.splitlines())
    assert after == [None, True, "a global of the script"], "the parent is as it was, and nothing is left behind"
    return ends


WAYS = [("process", False), ("process", True), ("pool", False), ("pool", True)]
WAY_NAMES = ["fork", "spawn", "pool-fork", "pool-spawn"]


@pytest.mark.parametrize(("isolation", "spawn"), WAYS, ids=WAY_NAMES)
def test_a_function_is_called_as_a_run(tmp_path, isolation, spawn):
    fine, cwd, stdin = play(tmp_path, isolation, spawn, "fine", "cwd", "reads stdin")
    assert fine == [0, None, "fine fine\n"]
    assert cwd == [0, None, f"{tmp_path}\n"]
    assert stdin == [0, None, "''\n"]


@pytest.mark.parametrize(("isolation", "spawn"), WAYS, ids=WAY_NAMES)
def test_an_exception_is_a_failure_told_with_the_users_frames_only(tmp_path, isolation, spawn):
    raised, exited, fine = play(tmp_path, isolation, spawn, "raises", "exits", "fine")
    assert raised[:2] == [1, None]
    assert raised[2].startswith("before\nTraceback (most recent call last):\n")
    assert raised[2].endswith("ZeroDivisionError: division by zero\n")
    assert "calling.py" not in raised[2]
    assert exited == [4, None, ""]
    assert fine[0] == 0


@pytest.mark.parametrize(("isolation", "spawn"), WAYS, ids=WAY_NAMES)
def test_a_function_in_c_code_can_be_ended_and_the_next_run_works(tmp_path, isolation, spawn):
    ended, fine = play(tmp_path, isolation, spawn, "c code", "fine")
    assert ended[:2] == [None, signal.SIGTERM]
    assert fine == [0, None, "fine fine\n"]


def test_each_call_has_a_process_of_its_own_and_a_pool_keeps_one(tmp_path):
    first, second = play(tmp_path, "process", False, "pid", "pid")
    assert first[2] != second[2]


def test_a_pool_calls_in_the_same_process(tmp_path):
    first, second = play(tmp_path, "pool", True, "pid", "pid")
    assert first[2] == second[2]


@pytest.mark.parametrize("spawn", [False, True], ids=["fork", "spawn"])
def test_what_a_call_does_to_the_environment_ends_with_it(tmp_path, spawn):
    _, found = play(tmp_path, "pool", spawn, "litters", "looks around")
    assert found == [0, None, "http://127.0.0.1:1 None u\n"]


def test_a_process_with_threads_is_not_forked():
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert must_spawn()
    finally:
        done.set()
        thread.join()


def test_a_bare_process_is_forked():
    code = "from besom.agents.function import must_spawn; print(must_spawn())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{sys.platform == 'darwin'}\n"


def test_what_cannot_be_passed_on_is_told_in_one_sentence():
    lock = threading.Lock()
    with pytest.raises(UsageError, match=r"cannot be passed to another process .* isolation='thread'"):
        write_payload(lambda: lock.acquire())


# ---- in a thread


def in_thread(tmp_path, function, *, environ=None, act=lambda call: None):
    troubles = []
    call = ThreadCall(function, environ or dict(os.environ), tmp_path / "log", troubles.append)
    act(call)
    while (end := call.poll()) is None:
        call.next_piece(0.05)
    call.close(lambda piece: None)
    return end, (tmp_path / "log").read_text()


def test_a_thread_has_the_runs_variables_and_they_are_gone_afterwards(tmp_path, capsys):
    end, log = in_thread(
        tmp_path, lambda: print(os.environ["BESOM_RUN_ID"]), environ={**os.environ, "BESOM_RUN_ID": "r1"}
    )
    assert end == Exit(0, None)
    assert log == capsys.readouterr().out == "r1\n"
    assert "BESOM_RUN_ID" not in os.environ


def test_an_exception_in_a_thread_is_a_failure(tmp_path):
    end, log = in_thread(tmp_path, lambda: 1 / 0)
    assert end == Exit(1, None)
    assert "ZeroDivisionError" in log


def test_a_function_in_a_thread_is_stopped_between_two_of_its_lines(tmp_path):
    ready = threading.Event()

    def train():
        ready.set()
        while True:
            threading.Event().wait(0.01)

    def stop(call):
        ready.wait()
        call.terminate()

    assert in_thread(tmp_path, train, act=stop)[0] == Exit(None, signal.SIGTERM)


def test_the_starter_takes_its_payload_away(tmp_path, monkeypatch):
    monkeypatch.setattr("besom.agents.function.must_spawn", lambda: True)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    starter = FunctionStarter(lambda: None, {}, "process")
    assert [path.stat().st_mode & 0o777 for path in Path(tmp_path).iterdir()] == [0o600]
    starter.close()
    assert not list(Path(tmp_path).iterdir())


def test_a_run_is_described_by_nothing_a_shell_could_start(tmp_path):
    starter = FunctionStarter(lambda: None, {}, "thread")
    assert starter.describe("r", {}) is None
    assert starter.check({}) is None
