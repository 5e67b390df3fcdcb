"""HTTP/1.1 as far as a client of our own server needs it: a request is one write, an answer a short head and a body.

Python's own client reads every head as if it were an e-mail; that takes longer than all the rest of a request here.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Mapping
from typing import BinaryIO
from urllib.parse import SplitResult

_MOST_LINE_BYTES = 65_536
_MOST_HEADERS = 100
_PIECE_BYTES = 65_536
_PORTS = {"http": 80, "https": 443}
_NO_BODY = frozenset({204, 304})


class BrokenAnswer(ConnectionError):
    """What came back is no answer, or only a part of one."""


class Answer:
    """One answer: ``status``, ``headers`` (names in lower case), and a body that is read once, before the next request.

    ``closes``: the line ends with it.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        version, self.status = _status(file)
        while 100 <= self.status < 200:
            # Not the answer yet.
            _headers(file)
            version, self.status = _status(file)
        self.headers = _headers(file)
        self._chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        self._length = None if self._chunked else self._told_length()
        wishes = self.headers.get("connection", "").lower()
        lasting = "keep-alive" in wishes if version == b"HTTP/1.0" else "close" not in wishes
        self.closes = not lasting or (self._length is None and not self._chunked)

    def read(self) -> bytes:
        """The whole body."""
        return b"".join(self.pieces())

    def pieces(self) -> Iterator[bytes]:
        """The body as it comes; raises OSError when it breaks off."""
        if self._chunked:
            return self._chunks()
        return self._to_the_end() if self._length is None else self._exactly(self._length)

    def lines(self) -> Iterator[str]:
        """The body's lines as they come, without their ends."""
        begun = b""
        for piece in self.pieces():
            *whole, begun = (begun + piece).split(b"\n")
            for line in whole:
                yield line.decode("utf-8").rstrip("\r")

    def _told_length(self) -> int | None:
        if self.status in _NO_BODY:
            return 0
        told = self.headers.get("content-length")
        return None if told is None else _number(told, 10)

    def _exactly(self, left: int) -> Iterator[bytes]:
        while left:
            piece = self._file.read(min(left, _PIECE_BYTES))
            if not piece:
                raise BrokenAnswer("the answer breaks off")
            left -= len(piece)
            yield piece

    def _to_the_end(self) -> Iterator[bytes]:
        while piece := self._file.read1(_PIECE_BYTES):  # type: ignore[attr-defined]
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        while size := _number(_line(self._file).split(b";")[0].decode("latin-1"), 16):
            yield from self._exactly(size)
            if _line(self._file):
                raise BrokenAnswer("a part of the answer is longer than it says")
        _headers(self._file)


class Line:
    """A line to the server of ``url``, over TLS for https; raises OSError when nobody answers.

    ``timeout_s`` limits each wait for the other end. One request at a time.
    """

    def __init__(self, url: SplitResult, timeout_s: float) -> None:
        host, default = url.hostname or "", _PORTS[url.scheme]
        port = url.port or default
        self.sock = socket.create_connection((host, port), timeout_s)
        # The end of a large request does not wait until its beginning was acknowledged.
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if url.scheme == "https":
            self.sock = _secured(self.sock, host)
        self._file: BinaryIO = self.sock.makefile("rb")
        name = f"[{host}]" if ":" in host else host if host.isascii() else host.encode("idna").decode("ascii")
        self._host = name if port == default else f"{name}:{port}"

    def ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Sends a request and waits for the head of its answer; raises OSError, ValueError for an impossible header."""
        fields = {"Host": self._host, "Accept-Encoding": "identity", **headers}
        if body or method != "GET":
            fields["Content-Length"] = str(len(body))
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        head = "\r\n".join(lines)
        if head.count("\n") != len(fields) or head.count("\r") != len(fields):
            raise ValueError("a header of a request has a line break in it")
        self.sock.sendall(f"{head}\r\n\r\n".encode("latin-1") + body)
        return Answer(self._file)

    def close(self) -> None:
        """Hangs up."""
        for end in (self._file, self.sock):
            with contextlib.suppress(OSError):
                end.close()


def _secured(sock: socket.socket, host: str) -> socket.socket:
    import ssl

    return ssl.create_default_context().wrap_socket(sock, server_hostname=host)


def _status(file: BinaryIO) -> tuple[bytes, int]:
    version, _, rest = _line(file).partition(b" ")
    code = rest[:3].decode("latin-1")
    if not version.startswith(b"HTTP/1.") or len(code) != 3 or not code.isascii() or not code.isdigit():
        raise BrokenAnswer("it does not speak HTTP")
    return version, int(code)


def _headers(file: BinaryIO) -> dict[str, str]:
    found: dict[str, str] = {}
    for _ in range(_MOST_HEADERS):
        line = _line(file)
        if not line:
            return found
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise BrokenAnswer("it does not speak HTTP")
        found[name.lower()] = value.strip()
    raise BrokenAnswer("the head of its answer has no end")


def _line(file: BinaryIO) -> bytes:
    line = file.readline(_MOST_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise BrokenAnswer("the head of its answer is too long" if len(line) == _MOST_LINE_BYTES else "it hung up")
    return line.rstrip(b"\r\n")


def _number(text: str, base: int) -> int:
    digits = text.strip()
    if not digits.isascii() or not digits.isalnum():
        raise BrokenAnswer("the length of its answer is no number")
    try:
        return int(digits, base)
    except ValueError:
        raise BrokenAnswer("the length of its answer is no number") from None
