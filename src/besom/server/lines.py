"""Connections, bounded in number, in time and in memory: what one asker may hold, however he behaves.

A request's head has a size and must be there in time, a body must come at a walking pace, an answer must be read.
Requests for which that is not so are ended with a sentence where one can still be sent; everybody else goes on.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections.abc import Iterable
from enum import Enum
from http import HTTPStatus
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from besom.errors import BesomError, ServerBusy, UsageError
from besom.server.errors import problem_of
from besom.wire.encoding import encode

log = logging.getLogger("besom.server")

MOST_LINES = 8192
# Files that the server needs beside its connections: databases, log, copies.
OTHER_FILES = 128
# Of these, how many may be connections that are only told that there is no place.
MOST_TOLD = 64
MOST_HEAD_BYTES = 64 * 1024
MOST_HEADERS = 200
MOST_PIPELINED = 64
# A larger piece of a body is not copied in order to leave with its head.
MOST_JOINED_BYTES = 64 * 1024
HEAD_S = 15.0
BODY_S = 30.0
BODY_BYTES_A_S = 1024.0
LINGER_S = 5.0
IDLE_S = 75.0
# An answer of which nothing was read for so long is given up.
UNREAD_S = 30.0
# All answers together that wait to be read; above it those go first of which nothing was read for a while.
MOST_UNREAD_BYTES = 256 * 1024 * 1024
SOON_UNREAD_S = 5.0
LOOK_EVERY_S = 1.0


class Phase(Enum):
    """What a connection is waiting for."""

    HEAD = "the head of a request"
    BODY = "the rest of a body"
    ANSWER = "our answer"
    LINGER = "the rest of a body that was refused"
    IDLE = "another request"


class Lines:
    """All connections of a server. ``most`` of them may be open; more are answered with a sentence."""

    def __init__(self, most: int) -> None:
        self.most = most
        # Those that ask for nothing at the moment, the longest first: they make room when all places are taken.
        self.resting: dict[Line, None] = {}
        self._looked = 0.0
        self._is_full = False

    def protocol(self) -> type[Line]:
        """What makes a connection one of these."""
        return type("Line", (Line,), {"lines": self})

    def make_room(self, newcomer: Line, open_lines: int) -> bool:
        """True if the newcomer may stay, for which one that asks for nothing may have had to go."""
        if open_lines <= self.most:
            return True
        if not self._is_full:
            # Said once, and again only after it was better for a while.
            self._is_full = True
            log.warning("all %d connections are taken: those that ask for nothing make room", self.most)
        longest = next((line for line in self.resting if line is not newcomer), None)
        if longest is not None:
            longest.give_up()
        return longest is not None

    def look(self, lines: Iterable[Line], now: float) -> None:
        """Ends what is late; called often, does something every second. ``now`` is the loop's time."""
        if now - self._looked < LOOK_EVERY_S:
            return
        self._looked = now
        stalled: list[tuple[int, Line]] = []
        unread, count = 0, 0
        for line in list(lines):
            count += 1
            size = line.look(now)
            unread += size
            if size and now - line.read_at > SOON_UNREAD_S:
                stalled.append((size, line))
        if count < self.most * 0.9:
            self._is_full = False
        for size, line in sorted(stalled, key=lambda found: -found[0]):
            if unread <= MOST_UNREAD_BYTES:
                break
            unread -= size
            line.give_up()


class Line(HttpToolsProtocol):
    """One connection."""

    lines: ClassVar[Lines]

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._phase = Phase.HEAD
        self._since = self.read_at = self.loop.time()
        self._body_bytes = 0
        # Bytes since the parser last made something whole of them.
        self._undigested = 0
        self._unread = 0
        self._refusal: BesomError | None = None
        self._refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Takes a place; without one says so and ends."""
        super().connection_made(transport)
        self._go(Phase.HEAD)
        if len(self.connections) > self.lines.most + MOST_TOLD:
            self.give_up()
        elif not self.lines.make_room(self, len(self.connections)):
            self._refuse(ServerBusy(f"{self.lines.most:,} connections are open already: ask again in a moment"), 503)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leaves the place to others."""
        self.lines.resting.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feeds the parser as long as it makes something of it."""
        if self._refused or self.transport.is_closing() or self.parser is None:
            return
        if self._phase is Phase.IDLE:
            self._go(Phase.HEAD)
        self._undigested += len(data)
        super().data_received(data)
        if self._undigested > MOST_HEAD_BYTES and not self._refused:
            self._refuse(_too_large(), 431)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._digested()
        self._go(Phase.HEAD)
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, of not too many: an exception here ends the parsing."""
        if len(self.headers) >= MOST_HEADERS:
            self._refusal = _too_large()
            raise ValueError("too many headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The application begins, and the body follows."""
        self._digested()
        self._body_bytes = 0
        if len(self.pipeline) >= MOST_PIPELINED:
            self._refusal = UsageError(f"more than {MOST_PIPELINED} requests before the first answer was read")
            raise ValueError("too many requests at once")
        super().on_headers_complete()
        self.cycle.transport = Answering(self.cycle, self.loop)
        self._go(Phase.BODY)

    def on_body(self, body: bytes) -> None:
        """Some of a body."""
        self._digested()
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The body is whole."""
        self._digested()
        self._go(Phase.IDLE if self._phase is Phase.LINGER else Phase.ANSWER)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is written; what is left of a refused body is read and dropped."""
        super().on_response_complete()
        if self._refused:
            # That was the request at work when another one was refused.
            self.transport.close()
        # Of pipelined requests the last one read is `cycle`.
        elif not self.transport.is_closing() and self.cycle.response_complete:
            following = {Phase.BODY: Phase.LINGER, Phase.ANSWER: Phase.IDLE}.get(self._phase)
            if following is not None:
                self._go(following)

    def send_400_response(self, msg: str) -> None:
        """What could not be read is answered in our words."""
        refusal, self._refusal = self._refusal, None
        status = 431 if isinstance(refusal, _HeadTooLarge) else 400
        self._refuse(refusal or UsageError("this is not HTTP as this server understands it"), status)

    def pause_writing(self) -> None:
        """The reader does not keep up."""
        super().pause_writing()
        self.read_at = self.loop.time()

    def resume_writing(self) -> None:
        """The reader keeps up again."""
        super().resume_writing()
        self.read_at = self.loop.time()

    def look(self, now: float) -> int:
        """Ends the connection if it is late; returns how many bytes wait to be read from it."""
        unread = self.transport.get_write_buffer_size()
        if not unread or unread < self._unread:
            self.read_at = now
        self._unread = unread
        if now - self.read_at > UNREAD_S:
            self.give_up()
        elif not self.transport.is_closing():
            self._look_at_phase(now - self._since)
        return unread

    def give_up(self) -> None:
        """Ends the connection at once, whatever waits to be sent."""
        self.lines.resting.pop(self, None)
        self.transport.abort()

    def _look_at_phase(self, waited_s: float) -> None:
        if self._phase is Phase.HEAD and waited_s > HEAD_S:
            self._refuse(UsageError(f"no whole request came within {HEAD_S:.0f} s"), 408)
        elif self._phase is Phase.BODY and not self.flow.read_paused:
            if waited_s > BODY_S + self._body_bytes / BODY_BYTES_A_S:
                self._refuse(UsageError("the request's body comes too slowly: send it again"), 408)
        elif (self._phase is Phase.LINGER and waited_s > LINGER_S) or (self._phase is Phase.IDLE and waited_s > IDLE_S):
            self.transport.close()

    def _go(self, phase: Phase) -> None:
        self.lines.resting.pop(self, None)
        self._phase, self._since = phase, self.loop.time()
        if phase in (Phase.HEAD, Phase.IDLE):
            self.lines.resting[self] = None

    def _digested(self) -> None:
        self._undigested = 0

    def _refuse(self, problem: BesomError, status: int) -> None:
        """Sends a refusal where no other answer is on its way, and ends when the asker had time to read it."""
        self._refused = True
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if not cycle.more_body:
                # The request at work was in order: it is answered, and then the connection ends. What waits behind it
                # has not begun and can be sent again.
                self.pipeline.clear()
                self.flow.pause_reading()
                return
            if cycle.response_started:
                self.transport.close()
                return
            # The application need not answer any more.
            cycle.disconnected = True
            cycle.message_event.set()
        body = encode(problem_of(problem))
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
        )
        self._go(Phase.LINGER)
        self.transport.write(head.encode() + body)
        if self.transport.can_write_eof():
            self.transport.write_eof()


class Answering(asyncio.Transport):
    """Where one answer is written: its head leaves with the first piece of its body, and its reader wakes once."""

    def __init__(self, cycle: RequestResponseCycle, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._cycle, self._loop, self._line = cycle, loop, cycle.transport
        self._begun = False
        self._head = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Sends it, but keeps a head until the body comes or somebody else has his turn."""
        # Before an answer begins, "100 Continue" may be written.
        if self._begun or not self._cycle.response_started:
            if len(data) > MOST_JOINED_BYTES:
                self._send_head()
            self._line.write(self._head + data if self._head else data)
            self._head = b""
        else:
            self._begun, self._head = True, bytes(data)
            self._loop.call_soon(self._send_head)

    def _send_head(self) -> None:
        if self._head and not self._line.is_closing():
            self._line.write(self._head)
        self._head = b""

    def close(self) -> None:
        """Closes the line when everything is sent."""
        self._send_head()
        self._line.close()

    def is_closing(self) -> bool:
        """True if nothing more can be sent."""
        return self._line.is_closing()


class _HeadTooLarge(UsageError):
    """A head beyond what a request may have."""


def _too_large() -> _HeadTooLarge:
    return _HeadTooLarge(
        f"the request's address and headers are larger than the {MOST_HEAD_BYTES:,} bytes "
        f"or more than the {MOST_HEADERS} headers that this server takes"
    )


def raise_file_limit() -> int:
    """Lets this process open as many files as it needs and may; returns for how many connections that leaves room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_LINES + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        except (OSError, ValueError) as error:
            soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
            log.warning("this process may open %d files and no more: %s", soft, error)
    room = MOST_LINES if soft == resource.RLIM_INFINITY else min(MOST_LINES, soft - OTHER_FILES)
    return max(16, room)
