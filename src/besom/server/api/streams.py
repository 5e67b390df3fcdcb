"""Streams of an attempt: bytes in by offset, the console out."""

from __future__ import annotations

from msgspec import Struct
from starlette.responses import Response

from besom.errors import NotFound, Refused
from besom.operations import recording
from besom.server.api.runs import attempt_number
from besom.server.endpoint import Ask
from besom.store import logs
from besom.store import streams as stored
from besom.wire.runs import StreamOffset

MAX_CONSOLE_BYTES = 1024 * 1024


class Gap(Refused):
    """Bytes are missing in front of those sent; ``offset`` is where the server wants to go on."""

    def __init__(self, offset: int, sent: int) -> None:
        self.offset = offset
        super().__init__(f"the stream goes on at byte {offset:,}, not at {sent:,}: send from there")


class OffsetQuery(Struct, forbid_unknown_fields=True):
    """Where the sent bytes begin in the stream."""

    offset: int


class ConsoleQuery(Struct, forbid_unknown_fields=True):
    """Which part of the console. A negative ``offset`` counts from the end; ``attempt`` absent: the last one."""

    attempt: int | None = None
    offset: int = 0
    limit: int = MAX_CONSOLE_BYTES


async def append(ask: Ask, query: OffsetQuery, body: bytes) -> StreamOffset:
    """Adds bytes to a stream. What is there already is not stored twice."""
    appended = await ask.write(
        recording.append, ask.path["uid"], attempt_number(ask), ask.path["writer"], _kind(ask),
        query.offset, body,
    )  # fmt: skip
    if appended.next_offset < query.offset:
        raise Gap(appended.next_offset, query.offset)
    return StreamOffset(offset=appended.next_offset, order_waits=appended.order_waits)


async def offset(ask: Ask) -> StreamOffset:
    """The next byte that the server wants."""
    found = await ask.read(stored.next_offset, ask.path["uid"], attempt_number(ask), ask.path["writer"], _kind(ask))
    return StreamOffset(offset=found)


async def console(ask: Ask, query: ConsoleQuery) -> Response:
    """What the run printed, as bytes; X-Besom-Next-Offset says where to go on."""
    data, following = await ask.read(
        logs.read, ask.path["uid"], query.attempt, query.offset,
        max(1, min(query.limit, MAX_CONSOLE_BYTES)),
    )  # fmt: skip
    # Whatever a script printed is handed out as a file, never shown in this origin.
    headers = {
        "X-Besom-Next-Offset": str(following),
        "Content-Disposition": 'attachment; filename="console.log"',
        "Content-Security-Policy": "sandbox",
    }
    return Response(data, 200, headers, "application/octet-stream")


def _kind(ask: Ask) -> str:
    kind = ask.path["kind"]
    if kind not in stored.KINDS:
        raise NotFound(f"there is no stream of kind {kind!r}: choose one of {', '.join(stored.KINDS)}")
    return kind
