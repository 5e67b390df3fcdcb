"""The server's life as people and programs see it: real processes, real ports, real files."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import sqlite3
import stat
import threading
from urllib.parse import urlsplit

import pytest
from machine import PATIENCE_S, Machine
from workshop import wait_until

from besom.common.discovery import FILE, Discovery, is_alive, read_token, write_discovery
from besom.common.version import VERSION
from besom.server import lock


@pytest.fixture
def machine(tmp_path):
    made = Machine(tmp_path)
    yield made
    made.besom("server", "stop")


def test_it_starts_tells_of_itself_and_ends(machine):
    found = machine.start()

    told = json.loads(machine.besom("server", "status", "--json").stdout)
    assert told["running"] is True
    assert (told["url"], told["pid"], told["data"]) == (found.url, found.pid, str(machine.data))
    assert (told["version"], told["sweeps"], told["runs"], told["agents_alive"]) == (VERSION, 0, 0, 0)
    assert machine.besom("server", "token").stdout.strip() == read_token(machine.data)

    ended = machine.besom("server", "stop")
    assert ended.returncode == 0
    assert found.url in ended.stderr
    assert not is_alive(found)
    assert not (machine.data / FILE).exists()
    assert json.loads(machine.besom("server", "status", "--json").stdout) == {
        "running": False, "data": str(machine.data),
    }  # fmt: skip
    assert machine.besom("server", "status").returncode == 1


def test_starting_again_finds_the_one_that_runs(machine):
    first = machine.start()
    again = machine.besom("server", "start")

    assert again.returncode == 0
    assert "runs already" in again.stderr
    assert machine.found() == first


@pytest.mark.parametrize("other", [("--port", "1"), ("--host", "0.0.0.0"), ("--allowed-host", "other.example")])
def test_starting_again_with_other_options_says_so(machine, other):
    machine.start("--allowed-host", "a.example")
    assert machine.besom("server", "start", "--allowed-host", "a.example").returncode == 0

    done = machine.besom("server", "start", *other)

    assert done.returncode != 0
    assert "with other options" in done.stderr


def test_stopping_what_does_not_run_says_so(machine):
    done = machine.besom("server", "stop")
    assert done.returncode == 0
    assert "no server runs" in done.stderr


def test_of_eight_that_start_a_server_at_once_one_wins_and_all_use_it(machine, tmp_path):
    (tmp_path / "sweep.yaml").write_text("program: t.py\nmethod: grid\nparameters: {a: {values: [1]}}\n")
    (tmp_path / "t.py").touch()
    starts, sweeps = [("server", "start")] * 4, [("sweep", str(tmp_path / "sweep.yaml"))] * 4
    with contextlib.ExitStack() as running:
        begun = [running.enter_context(machine.running(*command)) for command in (*starts, *sweeps)]
        said = ["".join(one.communicate(timeout=PATIENCE_S)) for one in begun]
    assert [one.returncode for one in begun] == [0] * 8, said
    for text in said:
        assert machine.found().url in text
    assert json.loads(machine.besom("server", "status", "--json").stdout)["sweeps"] == 4
    log = (machine.data / "server.log").read_text()
    assert log.count("listens at") == 1


def test_it_belongs_to_no_terminal_and_no_process_list_has_its_database(machine):
    machine.environ["BESOM_DB"] = f"sqlite:///{machine.data}/other.db"
    found = machine.start()

    assert os.getsid(found.pid) == found.pid
    with open(f"/proc/{found.pid}/cmdline", "rb") as file:
        assert b"other.db" not in file.read()
    assert (machine.data / "other.db").exists()


def test_a_port_that_was_asked_for_and_is_taken_is_one_sentence(machine):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = machine.besom("server", "start", "--port", str(port))

    assert done.returncode != 0
    assert f"port {port} on 127.0.0.1 is taken by another program" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (machine.data / FILE).exists()


def test_without_a_wish_the_next_free_port_is_taken(machine, tmp_path):
    first = machine.start()
    other = Machine(tmp_path / "second")
    try:
        assert other.start().url != first.url
    finally:
        other.besom("server", "stop")


def test_an_address_that_is_not_ours_is_one_sentence(machine):
    done = machine.besom("server", "start", "--host", "203.0.113.7")
    assert done.returncode != 0
    assert "is not an address of this machine" in done.stderr


def test_what_a_dead_server_left_is_no_obstacle(machine):
    mine = Discovery("http://127.0.0.1:1", os.getpid(), "another start", "", "", "x", VERSION, 1)
    here = machine.start()
    machine.besom("server", "stop")
    write_discovery(machine.data, mine._replace(host=here.host, boot_id=here.boot_id))

    assert machine.besom("server", "status").returncode == 1
    assert machine.start().pid != os.getpid()


def test_after_a_kill_it_starts_again_with_everything_it_had(machine):
    found = machine.start()
    made = machine.besom("token", "create", "kept")
    os.kill(found.pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(found))

    again = machine.start()

    assert again.pid != found.pid
    assert again.server_id == found.server_id
    line, answer = machine.request("GET", "/api/v1/me", Authorization=f"Bearer {made.stdout.strip()}")
    with contextlib.closing(line):
        assert json.loads(answer.read())["token_name"] == "kept"


def test_stopping_closes_open_event_streams(machine):
    machine.start()
    line, answer = machine.request("GET", "/api/v1/events?after=0")
    with contextlib.closing(line):
        assert answer.readline() == b"retry: 2000\n"
        rest = []
        reading = threading.Thread(target=lambda: rest.append(answer.read()))
        reading.start()

        assert machine.besom("server", "stop").returncode == 0

        reading.join(PATIENCE_S)
        assert not reading.is_alive()
        assert rest, "the stream broke off instead of ending"


def test_events_arrive_over_the_line_and_can_be_taken_up_again(machine):
    machine.start()
    sweep = {"request_id": "x", "project": "p", "config": {
        "method": "grid", "program": "t.py", "parameters": {"a": {"values": [1]}}}}  # fmt: skip
    line, answer = machine.request("GET", "/api/v1/events?after=0")
    with contextlib.closing(line):
        where = urlsplit(machine.found().url)
        other = http.client.HTTPConnection(where.hostname, where.port, timeout=PATIENCE_S)
        with contextlib.closing(other):
            proof = {"Authorization": f"Bearer {read_token(machine.data)}"}
            other.request("POST", "/api/v1/sweeps", json.dumps(sweep), proof)
            assert other.getresponse().status == 200
        lines = [answer.readline() for _ in range(5)]
    assert lines[2:4] == [b"id: 1\n", b"event: sweep.created\n"]

    line, answer = machine.request("GET", "/api/v1/events?after=7", **{"Last-Event-ID": "0"})
    with contextlib.closing(line):
        assert [answer.readline() for _ in range(3)][2] == b"id: 1\n"


def test_it_can_be_asked_to_end(machine):
    found = machine.start()
    assert machine.call("POST", "/api/v1/server/stop")[0] == 200
    wait_until(lambda: not is_alive(found))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground_a_signal_ends_it_cleanly(machine, number):
    with machine.running("server") as server:
        first = server.stderr.readline()
        assert machine.found().url in first
        server.send_signal(number)
        said = server.stderr.read()
        assert server.wait(PATIENCE_S) == 0
    assert said == "besom: the server has ended\n"
    assert not (machine.data / FILE).exists()


def test_beside_one_in_the_foreground_a_second_one_is_refused(machine):
    with machine.running("server") as server:
        server.stderr.readline()
        second = machine.besom("server")
        server.terminate()
        server.stderr.read()

    assert second.returncode != 0
    assert second.stderr.count("\n") == 1
    assert "a server runs already" in second.stderr


def as_version(machine, version, **more):
    write_discovery(machine.data, machine.found()._replace(version=version, **more))


def test_a_newer_program_restarts_its_own_background_server(machine):
    old = machine.start()
    as_version(machine, "0.0.9")

    done = machine.besom("server", "start")

    assert done.returncode == 0
    assert "restarting the server: it is Besom 0.0.9" in done.stderr
    assert machine.found().pid != old.pid
    assert not is_alive(old)


def test_a_server_that_a_person_started_is_not_restarted(machine):
    old = machine.start()
    as_version(machine, "0.0.9", background=False)

    assert machine.besom("server", "start").returncode == 0

    assert machine.found().pid == old.pid


def test_a_server_that_is_too_far_ahead_is_one_sentence(machine):
    old = machine.start()
    as_version(machine, "5.0.0")

    done = machine.besom("server", "start")

    assert done.returncode != 0
    assert "is Besom 5.0.0 and this is" in done.stderr
    assert is_alive(old)


def test_on_another_host_nothing_is_started(machine):
    machine.data.mkdir()
    (machine.data / lock.FILE).write_text(json.dumps({"host": "login1", "pid": 7}))
    write_discovery(machine.data, Discovery("http://127.0.0.1:8766", 7, "1", "login1", "b", "x", VERSION, 1))

    done = machine.besom("server", "start")

    assert done.returncode != 0
    assert "the server runs on login1, bound to loopback" in done.stderr
    assert "besom login --host" in done.stderr


def test_no_other_user_may_read_anything_of_it(machine):
    machine.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    before = os.umask(0)
    try:
        machine.start()
    finally:
        os.umask(before)
    assert stat.S_IMODE(machine.data.stat().st_mode) == 0o700
    for path in machine.data.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_neither_tokens_nor_codes_get_into_the_log(machine):
    machine.start()
    code = machine.besom("open", "--print").stdout.strip()
    path = code.partition(machine.found().url)[2]
    assert machine.call("GET", path)[0] == 303
    token = read_token(machine.data)
    machine.request("GET", "/api/v1/me", Authorization=f"Bearer wrong-{token}")[0].close()
    machine.besom("server", "stop")

    logged = "".join(path.read_text() for path in machine.data.glob("*.log*"))

    assert "listens at" in logged
    assert "a wrong token" in logged
    assert token not in logged
    assert path.partition("code=")[2] not in logged


ON_THE_NETWORK = """
import sys
from besom.server import serving
from besom.server.settings import read_settings
serving.network_kind = lambda folder: "nfs4"
serving.serve(read_settings(), lambda line: print(line, flush=True))
"""


def test_on_a_network_file_system_the_database_is_one_process_alone(machine):
    with machine.running("-c", ON_THE_NETWORK) as server:
        assert "network file system (nfs4)" in server.stdout.readline()
        listening = server.stdout.readline()
        assert machine.found().url in listening
        status, answer = machine.call("GET", "/api/v1/server")
        other = sqlite3.connect(machine.data / "besom.db", timeout=0)
        with contextlib.closing(other), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("SELECT * FROM token")
        backup_status, backup = machine.call("GET", "/api/v1/server/backup")
        server.terminate()
        assert server.wait(PATIENCE_S) == 0
        server.communicate()

    assert (status, json.loads(answer)["sweeps"]) == (200, 0)
    assert backup_status == 200
    assert backup.startswith(b"SQLite format 3")


@pytest.mark.parametrize("broken", ["", "no certificate"])
def test_files_that_are_no_certificate_are_one_sentence(machine, tmp_path, broken):
    (tmp_path / "cert.pem").write_text(broken)
    (tmp_path / "key.pem").write_text(broken)
    done = machine.besom("server", "--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "cannot be used for https" in done.stderr


def test_a_data_folder_that_is_a_file_is_one_sentence(machine, tmp_path):
    (tmp_path / "data").write_text("")
    for command in (["server", "start"], ["server"]):
        done = machine.besom(*command)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert f"the data folder {tmp_path / 'data'} cannot be used: a file is in its place" in done.stderr
    done = machine.besom("ls")
    assert "could not be started: the data folder" in done.stderr


def test_a_database_that_is_none_is_one_sentence(machine):
    machine.data.mkdir()
    (machine.data / "besom.db").write_text("this is no database " * 100)
    done = machine.besom("server", "start")
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1
    assert "besom.db" in done.stderr
