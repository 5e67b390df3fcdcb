"""What no decent program sends: broken HTTP, broken JSON, values of every wrong type; and how to send it."""

from __future__ import annotations

import json
import os
import random
import socket
import struct
import typing
from collections.abc import Iterator
from typing import Any

import msgspec

PATIENCE_S = 10.0
# The server ends what it cannot read; whatever else it keeps open is cut by us after this.
SILENCE_S = 0.3


def send(address: tuple[str, int], data: bytes, *, more: bool = False, silence_s: float = SILENCE_S) -> bytes:
    """Sends bytes, ends the sending side unless ``more``, and returns what comes back until there is no more."""
    came = b""
    with socket.create_connection(address, timeout=PATIENCE_S) as line:
        try:
            line.sendall(data)
            if not more:
                line.shutdown(socket.SHUT_WR)
            line.settimeout(silence_s if more else PATIENCE_S)
            while piece := line.recv(65536):
                came += piece
        except (TimeoutError, ConnectionError):
            return came
    return came


def request(method: str, target: str, token: str, body: bytes = b"", **headers: str) -> bytes:
    """A whole request that the server can read, with proof."""
    fields = {
        "Host": "127.0.0.1", "Authorization": f"Bearer {token}", "Content-Length": str(len(body)),
        "Connection": "close", **headers,
    }  # fmt: skip
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


def broken_http(token: str, seed: int) -> Iterator[tuple[str, bytes]]:
    """(what it is, the bytes) of requests that lie, stop short or are no HTTP at all."""
    proof = f"Host: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"

    def head(line: str, more: str = "") -> bytes:
        return f"{line}\r\n{proof}{more}\r\n".encode("latin-1")

    sweeps = "POST /api/v1/sweeps HTTP/1.1"
    yield "nothing", b""
    yield "noise", random.Random(seed).randbytes(5000)
    yield "TLS on a plain port", bytes.fromhex("16030100c8010000c40303") + bytes(200)
    yield "HTTP/0.9", b"GET /\r\n"
    yield "HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(50)
    yield "HTTP/9.9", head("GET /api/v1/me HTTP/9.9")
    yield "a method that is none", head("BREW /api/v1/sweeps HTTP/1.1")
    yield "a method of noise", head("G\x00T /api/v1/me HTTP/1.1")
    yield "a very long method", head("A" * 70_000 + " / HTTP/1.1")
    yield "a method of another route", head("DELETE /api/v1/me HTTP/1.1")
    yield "CONNECT", head("CONNECT example.org:443 HTTP/1.1")
    yield "TRACE", head("TRACE /api/v1/me HTTP/1.1")
    yield "an absolute target", head("GET http://example.org/api/v1/me HTTP/1.1")
    yield "a target without a slash", head("GET api/v1/me HTTP/1.1")
    yield "a star", head("OPTIONS * HTTP/1.1")
    yield "a very long target", head(f"GET /{'a' * 200_000} HTTP/1.1")
    yield "a zero byte in the path", head("GET /api/v1/runs/%00/history HTTP/1.1")
    yield "invalid UTF-8 in the path", head("GET /api/v1/runs/%ff%fe/history HTTP/1.1")
    yield "raw bytes in the path", head("GET /api/v1/runs/\xff\xfe/history HTTP/1.1")
    yield "a line end in the path", head("GET /api/v1/runs/%0d%0aX-Evil:%201/history HTTP/1.1")
    for climb in ("%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5c..%5c", "../../../etc/passwd", "....//", "%252e%252e%252f"):
        yield f"climbing by {climb}", head(f"GET /assets/{climb} HTTP/1.1")
        yield f"a run named {climb}", head(f"GET /api/v1/runs/{climb} HTTP/1.1")
    yield "half a percent sign", head("GET /api/v1/runs/%/history?limit=%zz HTTP/1.1")
    yield "a huge header", head("GET /api/v1/me HTTP/1.1", f"X-A: {'a' * 1_000_000}\r\n")
    yield "ten thousand headers", head("GET /api/v1/me HTTP/1.1", "".join(f"X-{i}: 1\r\n" for i in range(10_000)))
    yield "a header without a name", head("GET /api/v1/me HTTP/1.1", ": 1\r\n")
    yield "a folded header", head("GET /api/v1/me HTTP/1.1", "X-A: 1\r\n 2\r\n")
    yield "a zero byte in a header", head("GET /api/v1/me HTTP/1.1", "X-A: \x00\r\n")
    yield "two hosts", head("GET /api/v1/me HTTP/1.1", "Host: example.org\r\n")
    yield "two lengths", head(sweeps, "Content-Length: 2\r\nContent-Length: 5\r\n") + b"{}{}{"
    yield "a negative length", head(sweeps, "Content-Length: -1\r\n")
    yield "a length of letters", head(sweeps, "Content-Length: many\r\n") + b"{}"
    yield "a length beyond 64 bits", head(sweeps, f"Content-Length: {10**30}\r\n") + b"{}"
    yield "a length of 100 GB", head(sweeps, f"Content-Length: {10**11}\r\n") + b"{}"
    yield "a body cut short", head(sweeps, "Content-Length: 500\r\n") + b'{"request_id": "a'
    yield "length and chunks", head(sweeps, "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n") + b"0\r\n\r\n"
    yield "an unknown encoding", head(sweeps, "Transfer-Encoding: gzip, chunked\r\n") + b"0\r\n\r\n"
    chunked = head(sweeps, "Transfer-Encoding: chunked\r\n")
    yield "a chunk of a lying size", chunked + b"ff\r\n{}\r\n0\r\n\r\n"
    yield "a chunk of no size", chunked + b"zz\r\n{}\r\n0\r\n\r\n"
    yield "a chunk beyond 64 bits", chunked + b"f" * 40 + b"\r\n{}\r\n0\r\n\r\n"
    yield "chunks that stop", chunked + b"2\r\n{}\r\n"
    yield "a huge chunk line", chunked + b"2;" + b"a" * 300_000 + b"\r\n{}\r\n0\r\n\r\n"
    yield "garbage after a request", head("GET /api/v1/me HTTP/1.1") + b"\x00\xff{}garbage\r\n\r\n" * 50
    kept = request("GET", "/api/v1/me", token, Connection="keep-alive")
    yield "a pipeline", kept * 40 + request("GET", "/api/v1/me", token)
    yield "a long pipeline", kept * 2000
    yield "an upgrade", head("GET /api/v1/me HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n")
    yield "an expectation", head(sweeps, "Expect: 200-maybe\r\nContent-Length: 2\r\n") + b"{}"
    yield "only line ends", b"\r\n" * 10_000
    yield "bare line feeds", b"GET /api/v1/me HTTP/1.1\nHost: 127.0.0.1\n\n"


def mutated_http(token: str, seed: int, count: int) -> Iterator[bytes]:
    """Good requests with some bytes changed, cut, doubled or swapped."""
    random_ = random.Random(seed)
    good = [
        request("GET", "/api/v1/me", token),
        request("POST", "/api/v1/sweeps/check", token, b'{"text": "method: random"}'),
        request("GET", "/api/v1/runs?limit=5&after=x", token),
        request("GET", "/", token, Cookie="besom=1.2.3"),
    ]
    for _ in range(count):
        data = bytearray(random_.choice(good))
        for _ in range(random_.randint(1, 6)):
            at, kind = random_.randrange(len(data)), random_.randrange(4)
            if kind == 0:
                data[at] = random_.randrange(256)
            elif kind == 1:
                del data[at : at + random_.randint(1, 20)]
            elif kind == 2:
                data[at:at] = data[at : at + random_.randint(1, 40)]
            else:
                data[at:at] = random_.choice(SPLINTERS)
            data = data or bytearray(b"x")
        yield bytes(data)


SPLINTERS = (b"\r\n", b"\x00", b"\xff", b": ", b" HTTP/1.1", b"%2e%2e%2f", b"\r\n\r\n")


def hostile_json() -> Iterator[tuple[str, bytes]]:
    """(what it is, the bytes) of bodies that JSON readers stumble over."""
    yield "nothing", b""
    yield "no JSON", b"\x00\xff\xfe"
    yield "a list", b"[]"
    yield "null", b"null"
    yield "deep lists", b"[" * 100_000 + b"]" * 100_000
    yield "deep lists without an end", b"[" * 100_000
    yield "deep objects", b'{"config":' * 100_000 + b"1" + b"}" * 100_000
    yield "deep inside a field", b'{"request_id": "deep", "config": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    for number in ("1e999", "-1e999", "NaN", "Infinity", "-Infinity", "1" * 5000, "-0", "1e-999", "0x10", "01", "1."):
        yield f"the number {number:.10}", b'{"request_id": "n", "config": {"seed": %s}}' % number.encode()
        yield f"the run cap {number:.10}", b'{"run_cap": %s}' % number.encode()
    yield "equal keys", b'{"request_id": "a", "request_id": "b", "text": "", "text": "method: grid"}'
    yield "a lone surrogate", b'{"request_id": "\\ud800", "text": "\\udfff", "name": "\\ud83d"}'
    yield "a zero byte", b'{"request_id": "\\u0000", "text": "a\\u0000b", "name": "\\u0000", "reason": "\\u0000"}'
    yield "UTF-16", '{"request_id": "a"}'.encode("utf-16")
    yield "a byte order mark", b'\xef\xbb\xbf{"request_id": "a"}'
    yield "invalid UTF-8", b'{"request_id": "\xff\xfe"}'
    yield "a comment", b'{"request_id": "a" /* why */}'
    yield "two values", b'{"request_id": "a"} {"request_id": "b"}'
    yield "a hundred thousand keys", json.dumps({f"k{i}": i for i in range(60_000)}).encode()


WRONG: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**31, 2**63, 2**64, -(2**63) - 1, 0.5, -0.0, 1e308, "", "x", "\x00", "\ud800", " ",
    "../../etc/passwd", "a/b", "'; DROP TABLE run; --", "<script>", "%s%n", "a" * 10_000, [], [None], {}, {"": None},
    [[[]]], {"$ref": "#"}, "NaN", "Infinity", "1e999",
)  # fmt: skip


def wrong_bodies(kind: type[msgspec.Struct], good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A good body with each field of its struct, in turn, set to each of `WRONG`."""
    for field in msgspec.structs.fields(kind):
        for value in WRONG:
            yield {**good, field.encode_name: value}


def good_body(kind: type[msgspec.Struct], sweep: str) -> dict[str, Any]:
    """A body that a route takes: what it needs, about a sweep that exists."""
    good = {
        "request_id": os.urandom(8).hex(), "uid": os.urandom(8).hex(), "sweep_id": sweep, "project": "hostile",
        "name": "n", "config": {"method": "grid", "parameters": {"x": {"values": [1]}}},
    }  # fmt: skip
    names = {field.encode_name for field in msgspec.structs.fields(kind)}
    return {name: value for name, value in good.items() if name in names}


def body_type(handler: Any) -> Any:
    """The struct that a handler of a route takes as its body; None for one without."""
    return typing.get_type_hints(handler).get("body")


def json_bytes(body: Any) -> bytes:
    """A body as bytes, lone surrogates included, as only a hostile program writes them."""
    return json.dumps(body).encode("ascii")


def reset(address: tuple[str, int], data: bytes) -> None:
    """Sends bytes and tears the connection down without a word."""
    line = socket.create_connection(address, timeout=PATIENCE_S)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.sendall(data)
    line.close()
