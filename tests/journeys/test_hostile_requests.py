"""Whatever comes over the line, the server lives, answers the next good request, and says what is wrong."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fuzzing
import hostile
import pytest
from workshop import Workshop, wait_until

from besom.common.discovery import read_discovery, read_token
from besom.server.app import ENDPOINTS

SEED = 20261124
# Of 40 operations each: more than a thousand requests.
EXAMPLES = 26
ENDED_AT_ONCE = ("nothing", "HTTP/0.9", "a body cut short", "a length of 100 GB", "a chunk of a lying size",
                 "chunks that stop", "only line ends")  # fmt: skip
TRICKS = ("..", ".", "../../etc/passwd", "a/../../b", "..\\..\\b", "/etc/passwd", "a\x00b", "a\nb", "%2e%2e%2f", "",
          "\ud800", "a" * 5000, "<script>alert(1)</script>", "'; DROP TABLE run; --")  # fmt: skip


class Door:
    """The server as a socket, its token and its log."""

    def __init__(self, workshop: Workshop) -> None:
        found = read_discovery(workshop.data)
        assert found is not None
        where = urlsplit(found.url)
        self.address = (where.hostname or "", where.port or 0)
        self.url, self.pid = found.url, found.pid
        self.token = read_token(workshop.data) or ""
        self.log = workshop.data / "server.log"

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None) -> tuple[int, bytes]:
        """A request in order, whatever its body holds."""
        line = http.client.HTTPConnection(*self.address, timeout=60)
        data = None if body is None else hostile.json_bytes(body)
        line.request(method, path, data, {"Authorization": f"Bearer {token or self.token}"})
        answer = line.getresponse()
        found = answer.status, answer.read()
        line.close()
        return found

    def call(self, method: str, path: str, body: Any = None) -> Any:
        status, text = self.ask(method, path, body)
        assert status == 200, text
        return json.loads(text)

    def send(self, data: bytes, silence_s: float = 10.0) -> bytes:
        return hostile.send(self.address, data, more=True, silence_s=silence_s)

    def faults(self) -> list[str]:
        """Lines of the log that no request may cause."""
        return re.findall(r"^.* ERROR .*$|^Traceback.*$", self.log.read_text(errors="replace"), re.MULTILINE)


@pytest.fixture(scope="module")
def door(workshop: Workshop) -> Door:
    return Door(workshop)


@pytest.fixture(autouse=True)
def _no_faults(door: Door) -> Any:
    before = len(door.faults())
    yield
    assert door.faults()[before:] == []
    assert door.call("GET", "/api/v1/me")["scope"] == "admin"


def test_a_thousand_fuzzed_requests_get_documented_answers(door: Door) -> None:
    seen: Counter[int] = Counter()
    for operation in fuzzing.operations(door.url, door.token):
        real = fuzzing.world(door.call)
        seen += fuzzing.fuzz(operation, door.token, real, EXAMPLES, SEED)
    assert sum(seen.values()) > 1000
    assert {200, 400, 401, 404, 409, 422} <= set(seen)


def test_broken_http_is_answered_or_ended(door: Door) -> None:
    for name, data in hostile.broken_http(door.token, SEED):
        answer = door.send(data, 0.2 if name in ENDED_AT_ONCE else 10.0)
        if name not in ENDED_AT_ONCE:
            assert re.match(rb"HTTP/1\.1 [234]\d\d ", answer), (name, answer)


def test_requests_with_turned_bytes_are_answered_or_ended(door: Door) -> None:
    for data in hostile.mutated_http(door.token, SEED, 150):
        answer = door.send(data, 0.05)
        assert not answer or re.match(rb"HTTP/1\.1 [234]\d\d ", answer), (data, answer)
        hostile.reset(door.address, data)


def test_broken_json_is_refused_with_a_sentence_by_every_route(door: Door) -> None:
    for endpoint in ENDPOINTS:
        if hostile.body_type(endpoint.handler) in (None, bytes):
            continue
        path = "/api/v1" + endpoint.path.format(uid="x", number=1, agent="a", id="s", writer="w", kind="history")
        for name, data in hostile.hostile_json():
            answer = door.send(hostile.request(endpoint.method, path, door.token, data))
            status, body = int(answer[9:12]), answer.partition(b"\r\n\r\n")[2]
            assert status == 200 or (400 <= status < 500 and fuzzing.is_problem(body)), (path, name, answer)


def test_a_wrong_value_in_any_field_is_refused_with_a_sentence_or_harmless(door: Door) -> None:
    for endpoint in ENDPOINTS:
        kind = hostile.body_type(endpoint.handler)
        if kind in (None, bytes) or endpoint.path == "/server/stop":
            continue
        real = fuzzing.world(door.call)
        path = "/api/v1" + endpoint.path.format(**real)
        for body in hostile.wrong_bodies(kind, hostile.good_body(kind, real["sweep_id"])):
            status, text = door.ask(endpoint.method, path, body)
            assert status == 200 or (400 <= status < 500 and fuzzing.is_problem(text)), (path, body, text)


def test_names_that_are_paths_are_refused_or_harmless(door: Door, workshop: Workshop) -> None:
    before = _files(workshop.folder)
    for trick in TRICKS:
        quoted = "".join(f"%{byte:02x}" for byte in trick.encode("utf-8", "surrogatepass"))
        config = {"method": "grid", "parameters": {"x": {"values": [1]}}}
        run = {"uid": os.urandom(8).hex(), "project": "tricks"}
        asks: list[tuple[str, str, Any]] = [
            *(("POST", "/runs", {**run, name: trick}) for name in ("uid", "project", "entity", "name", "sweep_id")),
            *(
                ("POST", "/sweeps", {"request_id": os.urandom(8).hex(), "config": config, name: trick})
                for name in ("entity", "project", "name", "program", "file")
            ),
            ("POST", "/tokens", {"name": trick, "scope": "read"}),
            ("POST", f"/login-codes?path={quoted}", None),
            ("GET", f"/runs/{quoted}", None),
            ("GET", f"/runs/find?path={quoted}", None),
            ("GET", f"/sweeps/{quoted}", None),
            ("GET", f"/runs/x/attempts/1/streams/{quoted}/history", None),
            ("POST", f"/runs/x/attempts/1/streams/{quoted}/console?offset=0", None),
        ]
        for method, path, body in asks:
            status, text = door.ask(method, f"/api/v1{path}", body)
            # An empty name makes another address.
            refused = 400 <= status < 500 and fuzzing.is_problem(text)
            assert status == 200 or refused or (not trick and status == 307), (path, body, text)
        for page in (f"/{quoted}", f"/{quoted}/{quoted}", f"/{quoted}/{quoted}/runs/{quoted}", f"/assets/{quoted}"):
            status, text = door.ask("GET", page)
            assert status < 500
            assert b"<script>alert" not in text
            assert b"root:" not in text
    assert _files(workshop.folder) == before


def test_signing_in_leads_to_no_other_place(door: Door) -> None:
    for path in (
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
    ):
        quoted = "".join(f"%{byte:02x}" for byte in path.encode())
        url = door.call("POST", f"/api/v1/login-codes?path={quoted}")["url"]
        code = url.partition("?")[2]
        for target in (f"/login?{code}&next={quoted}", f"/login?next={quoted}"):
            answer = door.send(hostile.request("GET", target, door.token))
            location = re.search(rb"(?i)\r\nlocation: (.*)\r\n", answer)
            assert b" 500 " not in answer[:20]
            assert location is None or re.fullmatch(rb"/(?![/\\]).*|/", location[1]), answer


def test_a_broken_stream_is_told_of_and_the_rows_before_it_stay(door: Door, workshop: Workshop) -> None:
    from besom.common.spool_format import HEADER, json_record

    rows = b"".join(json_record({"t": "row", "step": step, "time": 1.0, "data": {"loss": 1.0}}) for step in range(3))
    run = door.call("POST", "/api/v1/runs", {"uid": os.urandom(8).hex(), "project": "broken"})
    path = f"/api/v1/runs/{run['uid']}/attempts/1/streams/w0/history?offset=0"
    answer = door.send(hostile.request("POST", path, door.token, HEADER + rows + b"\xff\xff and so on"))
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["offset"] == len(HEADER + rows)

    ended = door.call(
        "POST", f"/api/v1/runs/{run['uid']}/attempts/1/finish",
        {"exit_code": 0, "offsets": {"w0/history": len(HEADER + rows) + 11}},
    )  # fmt: skip
    shown = workshop.besom("show", f"broken/{run['name']}").stdout

    assert ended["state"] == "finished"
    assert len(door.call("GET", f"/api/v1/runs/{run['uid']}/history")["rows"]) == 3
    assert "logged is lost from byte" in " ".join(shown.split())


def test_those_who_send_slowly_or_read_nothing_hold_up_nobody(door: Door) -> None:
    uid = door.call("POST", "/api/v1/runs", {"uid": os.urandom(8).hex(), "project": "slow"})["uid"]
    path = f"/api/v1/runs/{uid}/attempts/1/streams/w0/console"
    for number in range(4):
        door.send(hostile.request("POST", f"{path}?offset={number * 200_000}", door.token, os.urandom(200_000)))
    lines = []
    for data in (
        b"GET /api/v1/me HTTP/1.1\r\nX-Slow: ",
        hostile.request("POST", "/api/v1/sweeps", door.token, Content_Length="1000"),
        hostile.request("GET", f"/api/v1/runs/{uid}/console", door.token),
        hostile.request("GET", "/api/v1/events?after=0", door.token),
    ) * 25:
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(door.address)
        line.sendall(data)
        lines.append(line)

    for _ in range(20):
        assert door.call("GET", f"/api/v1/runs/{uid}")["state"] == "running"
    for line in lines:
        line.close()
    wait_until(lambda: _sockets(door.pid) < 20)


def _files(folder: Path) -> set[str]:
    """Every file below, but those that a database makes and removes as it likes."""
    return {str(file) for file in folder.rglob("*") if not file.name.startswith("besom.db")}


def _sockets(pid: int) -> int:
    links = [f"/proc/{pid}/fd/{name}" for name in os.listdir(f"/proc/{pid}/fd")]
    return sum(os.readlink(link).startswith("socket:") for link in links if os.path.lexists(link))


def test_many_event_streams_hear_of_an_event_and_one_too_many_is_told(door: Door) -> None:
    sweep = fuzzing.world(door.call)["sweep_id"]
    lines = []
    for _ in range(60):
        line = socket.create_connection(door.address, timeout=60)
        line.sendall(hostile.request("GET", f"/api/v1/events?sweep={sweep}", door.token, Connection="keep-alive"))
        lines.append(line)
    for line in lines:
        _read_until(line, b"retry: 2000")
    door.call("POST", f"/api/v1/sweeps/{sweep}/pause")
    for line in lines:
        _read_until(line, b"sweep.changed")
        line.close()


def _read_until(line: socket.socket, words: bytes) -> None:
    came, until = b"", time.monotonic() + 60
    while words not in came:
        assert time.monotonic() < until
        came += line.recv(65536)
