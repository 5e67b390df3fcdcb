"""Event rows after N as server-sent events. The table is the truth; what is new is shared by all (`news`)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from msgspec import Struct
from starlette.responses import StreamingResponse

from besom.errors import ServerBusy, UsageError
from besom.server.endpoint import Ask
from besom.server.services import Services
from besom.store import events

SILENCE_S = 15.0


class EventsQuery(Struct, forbid_unknown_fields=True):
    """After which event, and of which sweep. A Last-Event-ID header goes before ``after``; neither: from now on."""

    after: int | None = None
    sweep: str | None = None


async def stream(ask: Ask, query: EventsQuery) -> StreamingResponse:
    """Events after a number, in commit order, for ever; a comment every 15 s says that the line is alive."""
    news = ask.services.news
    if news.readers >= news.most:
        raise ServerBusy(f"{news.most:,} event streams are open already: close a page or ask again later")
    newest = await ask.read(events.last_id)
    # A number from a database that is no longer here would keep the stream silent.
    after = min(_wanted(ask, query, newest), newest)
    return StreamingResponse(
        frames(ask.services, after, query.sweep), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
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
    news = services.news
    news.join()
    try:
        yield b"retry: 2000\n\n"
        while not services.closing.is_set():
            found, after = await news.after(after, sweep)
            if found:
                yield found
            elif not await news.wait(after, SILENCE_S):
                yield b": still here\n\n"
    finally:
        news.leave()
