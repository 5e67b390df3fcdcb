"""Spools that stay behind: of killed scripts, of servers that were away, of machines that are never online."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess

import pytest

from besom.client.api import Api
from besom.common.discovery import read_discovery, read_token
from besom.errors import NotFound

ONE_ROW = "import besom\nrun = besom.init(project='{0}', id='{1}')\nrun.log({{'a': 1}})\n"
KILLED = """
import os, signal, besom
run = besom.init(project='{0}', id='{1}')
for i in range(1000):
    run.log({{'a': i, 'text': 'x' * (i % 7)}} if i % 2 else {{'a': i}})
os.kill(os.getpid(), signal.SIGKILL)
"""
# Goes on when somebody takes the file away.
WAITS = """
import os, time
print('begun', flush=True)
while os.path.exists('wait'):
    time.sleep(0.01)
run.finish()
print('after the end', flush=True)
"""


@pytest.fixture(autouse=True)
def _local_token(workshop, monkeypatch):
    monkeypatch.setenv("BESOM_DIR", workshop.environ["BESOM_DIR"])


@pytest.fixture
def find(workshop):
    """The run as the server shows it, None if it has none of that name."""

    def find(path):
        with contextlib.suppress(NotFound):
            return Api({"base_url": workshop.server.url}).run(path).load()
        return None

    return find


@pytest.fixture
def ended(find, wait_until):
    """Waits until the server knows that a run has ended, and returns it."""
    return lambda path: wait_until(lambda: (run := find(path)) and run["state"] not in ("queued", "running") and run)


def begin(workshop, text, project, name, code=0, **environ):
    done = workshop.command("train.py", place=workshop.place(train=text.format(project, name)), **environ)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def begin_and_wait(workshop, project, name, **environ):
    """A run that goes on until the returned file is taken away, and the file."""
    place = workshop.place(train=(ONE_ROW + WAITS).format(project, name))
    (place / "wait").touch()
    script = workshop.begin("train.py", place=place, module=False, **environ)
    script.wait_for("begun")
    return script, place / "wait"


def values(workshop, run, key="a"):
    return [row[key] for row in workshop.server.call("GET", f"/api/v1/runs/{run['uid']}/history")["rows"]]


def test_the_next_run_of_this_machine_sends_what_a_killed_script_left(workshop, ended):
    begin(workshop, KILLED, "next", "first", code=-signal.SIGKILL)
    assert len(workshop.run_folders) == 1
    second, wait = begin_and_wait(workshop, "next", "second")
    second.wait_for("sent what run first had left")
    first = ended("next/first")
    assert first["state"] == "crashed"
    assert values(workshop, first) == list(range(1000))
    wait.unlink()
    second.end(0)
    assert workshop.run_folders == []


def test_the_next_agent_sends_what_a_killed_script_left(workshop, ended):
    begin(workshop, KILLED, "agents", "first", code=-signal.SIGKILL)
    place = workshop.place(train="import besom\nbesom.init().log({'loss': 1})\n")
    workshop.besom("agent", workshop.sweep(), place=place)
    assert values(workshop, ended("agents/first")) == list(range(1000))


def test_what_a_script_without_a_server_left_goes_to_the_server_it_was_meant_for(workshop, ended, find):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    here = {"BESOM_URL": f"http://127.0.0.1:{port}", "BESOM_TOKEN": read_token(workshop.data)}
    here["BESOM_FINISH_TIMEOUT"] = "0"
    begin(workshop, ONE_ROW, "away", "ours", **here)
    begin(workshop, ONE_ROW, "away", "theirs", **{**here, "BESOM_URL": "http://127.0.0.1:9"})
    workshop.besom("server", "stop")
    workshop.besom("server", "start", "--port", str(port))
    following, wait = begin_and_wait(workshop, "away", "next", **here)
    following.wait_for("sent what run ours had left")
    wait.unlink()
    following.end(0)
    assert ended("away/ours")["state"] == "finished"
    assert find("away/theirs") is None
    workshop.besom("sync")
    assert values(workshop, ended("away/theirs")) == [1.0]
    assert workshop.run_folders == []


def test_an_offline_machine_brings_its_runs_in_any_folder(workshop, tmp_path, ended, find):
    begin(workshop, ONE_ROW, "offline", "first", BESOM_DIR=str(tmp_path / "cluster"), BESOM_MODE="offline")
    assert find("offline/first") is None
    for stick in (tmp_path / "stick", tmp_path / "another"):
        shutil.copytree(tmp_path / "cluster" / "state", stick)
        workshop.besom("sync", str(stick))
        assert values(workshop, ended("offline/first")) == [1.0]


@contextlib.contextmanager
def standing_still(workshop):
    """The server takes connections and answers nothing."""
    pid = read_discovery(workshop.data).pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_the_end_of_a_run_waits_for_the_server_so_long_and_tells_the_command(workshop, ended):
    script, wait = begin_and_wait(workshop, "ends", "timeout", BESOM_FINISH_TIMEOUT="0.3")
    with standing_still(workshop):
        wait.unlink()
        said = script.end(0)
    assert "after the end" in said
    (command,) = re.findall(r"besom (sync \S+)$", said, flags=re.MULTILINE)
    workshop.besom(*command.split())
    run = ended("ends/timeout")
    assert (run["state"], values(workshop, run)) == ("finished", [1.0])


def test_ctrl_c_ends_the_wait_and_nothing_else(workshop, ended, wait_until):
    script, wait = begin_and_wait(workshop, "ends", "interrupted", BESOM_FINISH_TIMEOUT="600")
    with standing_still(workshop):
        wait.unlink()
        wait_until(lambda: any((folder / "end-1.json").exists() for folder in workshop.run_folders))
        script.send(signal.SIGINT)
        said = script.end(0)
    assert "not waiting any longer" in said
    assert "after the end" in said
    workshop.besom("sync")
    run = ended("ends/interrupted")
    assert (run["state"], values(workshop, run)) == ("finished", [1.0])
    assert workshop.run_folders == []


FILLS_THE_DISK = """
import os, resource, besom
run = besom.init(project='full', id='first', mode='offline')
if {limit}:
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, -1))
for i in range(200):
    run.log({{'a': i, 'text': 'x' * (5000 + 37 * i)}})
    if i == 150:
        if {limit}:
            resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
        else:
            os.unlink('ballast')
run.finish()
print('trained', flush=True)
"""


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of 1 MiB with half of it taken by the file ``ballast``; None where nobody may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        (disk / "ballast").write_bytes(bytes(640 * 1024))
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_costs_the_rows_it_does_not_take_and_no_training(workshop, tmp_path, small_disk, ended):
    place = small_disk or workshop.place()
    limit = 0 if small_disk else 300_000
    (place / "train.py").write_text(FILLS_THE_DISK.format(limit=limit))
    done = workshop.command("train.py", place=place, BESOM_DIR=str(small_disk or tmp_path / "own"))
    assert (done.returncode, done.stdout) == (0, "trained\n"), done.stderr
    assert done.stderr.count("rows are being lost") == 1
    lost = int(re.search(r"(\d+) records of this run could not be written", done.stderr)[1])
    workshop.besom("sync", str((small_disk or tmp_path / "own") / "state"))
    run = ended("full/first")
    rows = workshop.server.call("GET", f"/api/v1/runs/{run['uid']}/history")["rows"]
    assert run["state"] == "finished"
    assert lost > 0
    assert len(rows) == 200 - lost
    taken = [int(row["a"]) for row in rows]
    before = next(i for i, value in enumerate(taken) if value != i)
    assert taken == [*range(before), *range(200 - len(rows) + before, 200)]
    assert all(len(row["text"]) == 5000 + 37 * int(row["a"]) for row in rows)


# Nobody mounts a filer for a test: the home folder is said to be one.
HOME_ON_A_FILER = """
import os, sys
from besom.common import spool_place
spool_place.network_kind = lambda folder, mounts: 'nfs4' if str(folder).startswith(os.environ['HOME']) else None
from besom.cli.main import main
main()
"""
SAVES = """
import besom, os
run = besom.init()
run.log({'folder': os.environ['BESOM_RUN_DIR']})
open('model.txt', 'w').write('weights')
run.save('model.txt')
"""


def test_with_the_home_on_a_network_runs_are_recorded_on_a_local_disk_and_looked_for_in_both(workshop, tmp_path, find):
    home, local = tmp_path / "home", tmp_path / "local"
    local.mkdir()
    elsewhere = {
        "HOME": str(home), "TMPDIR": str(local), "BESOM_DIR": "",
        "BESOM_URL": workshop.server.url, "BESOM_TOKEN": read_token(workshop.data),
    }  # fmt: skip
    begin(workshop, ONE_ROW, "filer", "left", **elsewhere, BESOM_MODE="offline")
    sweep = workshop.sweep({"x": {"values": [1]}})
    place = workshop.place(train=SAVES)

    agent, sync = (
        workshop.command("-c", HOME_ON_A_FILER, *args, place=place, **elsewhere)
        for args in (["agent", sweep], ["sync"])
    )

    assert (agent.returncode, sync.returncode) == (0, 0), agent.stderr + sync.stderr
    assert agent.stderr.count("is on a network file system (nfs4)") == 1
    (run,) = workshop.runs(sweep)
    assert [row["folder"] for row in workshop.history(run)] == [str(local / f"besom-{os.getuid()}/runs" / run["uid"])]
    assert (home / ".local/state/besom/runs" / run["uid"] / "files/model.txt").read_text() == "weights"
    assert find("filer/left")["state"] == "finished"
