"""What is done to the server. Each attack returns what it saw, as words → figures, and leaves the server as it was."""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import fuzzing
import hostile
import trainings
from target import Target

from besom.common.spool_format import HEADER, json_record, row_struct
from besom.server.app import ENDPOINTS

Figures = dict[str, Any]


def documented_requests(target: Target, count: int) -> Figures:
    """Requests made from the server's own document, right and wrong."""
    operations = list(fuzzing.operations(target.url, target.token))
    seen: Counter[int] = Counter()
    for number, operation in enumerate(operations):
        real = fuzzing.world(target.call)
        seen += fuzzing.fuzz(operation, target.token, real, max(2, count // len(operations)), number)
    return {"requests": sum(seen.values()), "answers": dict(sorted(seen.items()))}


def broken_http(target: Target, count: int) -> Figures:
    """Broken requests, then good ones with some bytes changed."""
    seen: Counter[str] = Counter()
    sent = [data for _, data in hostile.broken_http(target.token, 1)] + list(
        hostile.mutated_http(target.token, 1, count)
    )
    for data in sent:
        answer = hostile.send(target.address, data, more=True, silence_s=0.2)
        seen[answer[9:12].decode("latin-1") or "none"] += 1
    return {"requests": len(sent), "answers": dict(sorted(seen.items()))}


def broken_bodies(target: Target, count: int) -> Figures:
    """Broken JSON to every route, then every field of every struct with values of every wrong type."""
    seen: Counter[str] = Counter()
    for endpoint in ENDPOINTS:
        kind = hostile.body_type(endpoint.handler)
        if kind in (None, bytes):
            continue
        real = fuzzing.world(target.call)
        path = "/api/v1" + endpoint.path.format(**real)
        wrong = hostile.wrong_bodies(kind, hostile.good_body(kind, real["sweep_id"]))
        bodies = [data for _, data in hostile.hostile_json()] + list(map(hostile.json_bytes, wrong))
        for data in bodies[:count]:
            asked = hostile.request(endpoint.method, path, target.token, data)
            answer = hostile.send(target.address, asked, more=True, silence_s=10)
            seen[answer[9:12].decode("latin-1") or "none"] += 1
    return {"requests": sum(seen.values()), "answers": dict(sorted(seen.items()))}


def broken_streams(target: Target, count: int) -> Figures:
    """Streams of runs: random bytes, good ones with bits turned, cut and repeated."""
    random_ = random.Random(1)
    good = HEADER + json_record({"t": "kind", "kind": 1, "keys": ["loss", "acc"]})
    good += b"".join(row_struct(2).pack(1, step, 1e9 + step, 1 / (step + 1), step) for step in range(200))
    seen: Counter[str] = Counter()
    for number in range(count):
        uid = f"broken-{number}"
        target.call("POST", "/api/v1/runs", {"uid": uid, "project": "streams"})
        data = bytearray(good if number % 4 else random_.randbytes(random_.randint(1, 5000)))
        for _ in range(random_.randint(1, 5)):
            data[random_.randrange(len(data))] ^= 1 << random_.randrange(8)
        path = f"/api/v1/runs/{uid}/attempts/1/streams/w0/history?offset=0"
        answer = hostile.send(
            target.address, hostile.request("POST", path, target.token, bytes(data)), more=True, silence_s=10
        )
        seen[answer[9:12].decode("latin-1") or "none"] += 1
        ended = target.call("POST", f"/api/v1/runs/{uid}/attempts/1/finish", {"exit_code": 0})
        seen[ended["state"]] += 1
    return {"streams": count, "answers": dict(sorted(seen.items()))}


@contextlib.contextmanager
def _open(target: Target, count: int, data: bytes) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        lines = []
        for _ in range(count):
            line = stack.enter_context(socket.create_connection(target.address, timeout=10))
            line.sendall(data)
            lines.append(line)
        yield lines


def _drip(lines: list[socket.socket], byte: bytes, seconds: float) -> int:
    """One byte a second on each line; returns how many the server has ended, with a word or without one, by then."""
    ended: set[socket.socket] = set()
    for line in lines:
        line.setblocking(False)
    until = time.monotonic() + seconds
    while time.monotonic() < until and len(ended) < len(lines):
        for line in set(lines) - ended:
            try:
                line.send(byte)
                line.recv(1)
            except BlockingIOError:
                continue
            except OSError:
                pass
            ended.add(line)
        time.sleep(1)
    return len(ended)


def slow_heads(target: Target, count: int) -> Figures:
    """Heads of requests that come one byte a second."""
    with _open(target, count, b"GET /api/v1/me HTTP/1.1\r\nX-Slow: ") as lines:
        return {"lines": count, "ended by the server within 25 s": _drip(lines, b"a", 25)}


def slow_bodies(target: Target, count: int) -> Figures:
    """Bodies that come one byte a second."""
    head = hostile.request("POST", "/api/v1/sweeps", target.token).replace(
        b"Content-Length: 0", b"Content-Length: 100000"
    )
    with _open(target, count, head) as lines:
        return {"lines": count, "ended by the server within 40 s": _drip(lines, b" ", 40)}


def readers_who_do_not_read(target: Target, count: int) -> Figures:
    """Askers of a large console, of a large history and of events that never read what they get."""
    uid = f"large-{time.monotonic_ns()}"
    target.call("POST", "/api/v1/runs", {"uid": uid, "project": "large"})
    path, offset = f"/api/v1/runs/{uid}/attempts/1/streams/w0/console", 0
    for _ in range(16):
        offset = target.call("POST", f"{path}?offset={offset}", os.urandom(250_000))["offset"]
    console = f"/api/v1/runs/{uid}/console?limit=1048576"
    before = target.memory()
    with contextlib.ExitStack() as stack:
        for number in range(count):
            line = stack.enter_context(socket.socket())
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.connect(target.address)
            line.sendall(hostile.request("GET", console if number % 2 else "/api/v1/events?after=0", target.token))
        time.sleep(5)
        held = target.memory() - before
        time.sleep(35)
        left = _lines_of(target)
    return {
        "lines": count, "MiB held after 5 s": round(held, 1), "connections left after 40 s": left,
        "MiB held after 40 s": round(target.memory() - before, 1),
    }  # fmt: skip


def many_event_streams(target: Target, count: int) -> Figures:
    """Many pages that are open at once, and how long an event takes to the last of them."""
    before, cpu = target.memory(), target.cpu_s()
    request = hostile.request("GET", "/api/v1/events", target.token, Connection="keep-alive")
    with _open(target, count, request) as lines, selectors.DefaultSelector() as selector:
        for line in lines:
            line.setblocking(False)
            selector.register(line, selectors.EVENT_READ)
        heard = _hear(selector, b"retry: 2000", len(lines), 60)
        held, opening = target.memory() - before, target.cpu_s() - cpu
        waits: list[float] = []
        for _ in range(5):
            cpu = target.cpu_s()
            sweep = fuzzing.world(target.call)["sweep_id"]
            _hear(selector, sweep.encode(), len(lines), 30)
            time.sleep(1)
            begun = time.monotonic()
            target.call("POST", f"/api/v1/sweeps/{sweep}/pause")
            waits += [at - begun for at in _hear(selector, b'"paused"', len(lines), 30)]
        one_more = hostile.send(target.address, request, more=True, silence_s=0.5)
    waits.sort()
    delivered = [round(waits[int(part * (len(waits) - 1))], 3) for part in (0.5, 0.99, 1)]
    return {
        "streams": count, "open": len(heard), "KiB a stream": round(held * 1024 / count, 1),
        "CPU ms to open one": round(opening * 1000 / count, 2),
        "event delivered, s p50 / p99 / last": delivered,
        "events missed": count * 5 - len(waits), "one more is answered": one_more[9:12].decode(),
    }  # fmt: skip


def _hear(selector: selectors.BaseSelector, words: bytes, count: int, patience_s: float) -> list[float]:
    """The times at which each line had heard the words."""
    until, heard, texts = time.monotonic() + patience_s, [], {}
    while len(heard) < count and time.monotonic() < until:
        for key, _ in selector.select(0.2):
            line = key.fileobj
            texts[line] = texts.get(line, b"") + line.recv(65536)
            if words in texts[line]:
                heard.append(time.monotonic())
                texts[line] = b""
    return heard


def _lines_of(target: Target) -> int:
    names = [os.readlink(f"/proc/{target.pid}/fd/{name}") for name in os.listdir(f"/proc/{target.pid}/fd")]
    return sum(name.startswith("socket:") for name in names)


def million_values(target: Target, count: int) -> Figures:
    """A sweep file with very many values in one parameter: checked, created, handed out, shown."""
    file = target.folder / "million.yaml"
    values = ", ".join(map(str, range(count)))
    file.write_text(f"method: grid\nprogram: train.py\nproject: large\nparameters:\n  x:\n    values: [{values}]\n")
    figures: Figures = {"values": count, "file, MB": round(file.stat().st_size / 1e6, 1)}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        begun, cpu = time.monotonic(), sum(os.times()[2:4])
        answer = work()
        figures[f"{name}, s / of its own CPU"] = [
            round(time.monotonic() - begun, 2), round(sum(os.times()[2:4]) - cpu, 2),
        ]  # fmt: skip
        return answer

    checked = timed("besom check", lambda: target.besom("check", str(file)))
    assert checked.returncode == 0, checked.stderr
    made = timed("besom sweep", lambda: target.besom("sweep", "--json", str(file)))
    assert made.returncode == 0, made.stderr
    sweep = json.loads(made.stdout)["id"]
    agent = f"agent-{time.monotonic_ns()}"
    target.call("POST", "/api/v1/agents", {"uid": agent, "sweep_id": sweep})
    timed("first hand-out", lambda: _claim(target, agent))
    figures["later hand-outs, ms"] = round(1000 * min(_timed(lambda: _claim(target, agent)) for _ in range(20)), 1)
    figures["commands at most, MiB"] = round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
    shown = timed("besom show", lambda: target.besom("show", sweep))
    figures["besom show, bytes"] = len(shown.stdout)
    listed = timed("besom ls", lambda: target.besom("ls"))
    figures["besom ls, bytes"] = len(listed.stdout)
    target.call("DELETE", f"/api/v1/sweeps/{sweep}")
    return figures


def _claim(target: Target, agent: str) -> Any:
    answer = target.call("POST", f"/api/v1/agents/{agent}/claim", {"request_id": os.urandom(8).hex()})
    assert answer["kind"] == "run", answer
    return answer


def _timed(work: Callable[[], Any]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def nothing(target: Target, count: int) -> Figures:
    """No attack: what the good client sees by himself."""
    time.sleep(count)
    return {}


# name → what it does, and how much of it (--short: less).
ATTACKS: dict[str, tuple[Callable[[Target, int], Figures], int, int]] = {
    "none": (nothing, 5, 2),
    "documented-requests": (documented_requests, 4000, 400),
    "broken-http": (broken_http, 2000, 100),
    "broken-bodies": (broken_bodies, 10_000, 40),
    "broken-streams": (broken_streams, 400, 40),
    "slow-heads": (slow_heads, 500, 100),
    "slow-bodies": (slow_bodies, 500, 100),
    "unread-answers": (readers_who_do_not_read, 200, 40),
    "event-streams": (many_event_streams, 1000, 100),
    "million-values": (million_values, 1_000_000, 100_000),
    "long-line": (trainings.long_line, 100, 10),
    "long-run": (trainings.long_run, 10_000_000, 200_000),
    "many-names": (trainings.many_names, 100_000, 2_000),
}
