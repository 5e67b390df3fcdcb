"""Event rows after N as server-sent events. The table is the truth; the bell only wakes who reads it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection
from starlette.responses import StreamingResponse

from besom.errors import ServerBusy, UsageError
from besom.server.endpoint import Ask
from besom.server.services import Services
from besom.store import events
from besom.wire.encoding import encode
from besom.wire.events import Event

SILENCE_S = 15.0
MOST_AT_ONCE = 500
MOST_STREAMS = 256


class EventsQuery(Struct, forbid_unknown_fields=True):
    """After which event, and of which sweep. A Last-Event-ID header goes before ``after``; neither: from now on."""

    after: int | None = None
    sweep: str | None = None


async def stream(ask: Ask, query: EventsQuery) -> StreamingResponse:
    """Events after a number, in commit order, for ever; a comment every 15 s says that the line is alive."""
    services = ask.services
    if services.streams >= MOST_STREAMS:
        raise ServerBusy(f"{MOST_STREAMS} event streams are open already: close a page or ask again later")
    newest = await ask.read(events.last_id)
    # A number from a database that is no longer here would keep the stream silent.
    after = min(_wanted(ask, query, newest), newest)
    return StreamingResponse(
        frames(services, after, query.sweep), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


def _wanted(ask: Ask, query: EventsQuery, newest: int) -> int:
    last = ask.request.headers.get("last-event-id")
    if last is not None:
        if not (last.isascii() and last.isdecimal() and len(last) < 19):
            raise UsageError(f"Last-Event-ID {last[:40]!r} is not the number of an event")
        return int(last)
    return newest if query.after is None else max(0, query.after)


async def frames(services: Services, after: int, sweep: str | None) -> AsyncIterator[bytes]:
    """The stream's bytes until the server closes. Nothing is kept for a slow reader: he is served when he reads."""
    services.streams += 1
    closing: asyncio.Future[Any] = asyncio.ensure_future(services.closing.wait())
    try:
        yield b"retry: 2000\n\n"
        while not services.closing.is_set():
            found, after = await services.database.read(_next, after, sweep)
            if found:
                yield b"".join(map(frame, found))
                continue
            if await _silence(services, after, closing):
                yield b": still here\n\n"
    finally:
        services.streams -= 1
        closing.cancel()


def frame(event: Event) -> bytes:
    """One event as it stands in the stream."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.id, event.kind.encode(), encode(event))


def _next(connection: Connection, after: int, sweep: str | None) -> tuple[list[Event], int]:
    """Some events and the number to go on after, which passes over those of other sweeps."""
    found = events.after(connection, after, sweep, MOST_AT_ONCE)
    if len(found) == MOST_AT_ONCE:
        return found, found[-1].id
    return found, max(after, events.last_id(connection))


async def _silence(services: Services, after: int, closing: asyncio.Future[Any]) -> bool:
    """Waits for the bell, the end, or the time to say something; True for the last."""
    bell = asyncio.ensure_future(services.database.bell.wait_for_event(after, SILENCE_S))
    try:
        await asyncio.wait({bell, closing}, return_when=asyncio.FIRST_COMPLETED)
        return bell.done() and not bell.result()
    finally:
        bell.cancel()
