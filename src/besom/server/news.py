"""New event rows on their way to many readers: each row is read once and encoded once, for all of them.

The table is the truth: whoever is further behind than what is kept here reads it himself.
"""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from typing import NamedTuple

from sqlalchemy import Connection

from besom.store import events
from besom.store.database import Database
from besom.wire.encoding import encode
from besom.wire.events import Event

log = logging.getLogger("besom.server")

MOST_STREAMS = 2000
MOST_AT_ONCE = 100
# What a reader is given at a time: so much waits for one who does not read.
MOST_BYTES_AT_ONCE = 64 * 1024
MOST_KEPT_BYTES = 4 * 1024 * 1024
# How many of those behind may read the table at a time: looks of people come first.
MOST_BEHIND = 2
# The more readers, the longer events are gathered before all are woken: waking one costs about a tenth of this.
GATHER_S_A_READER = 0.0003
RETRY_S = 1.0
PATIENCE_S = 3600.0


class Frame(NamedTuple):
    """An event as it stands in a stream, and of which sweep it is."""

    id: int
    sweep: str | None
    data: bytes


def frame(event: Event) -> Frame:
    """The event's frame."""
    data = b"id: %d\nevent: %s\ndata: %s\n\n" % (event.id, event.kind.encode(), encode(event))
    return Frame(event.id, event.sweep, data)


class News:
    """What the open event streams of a server share. ``most`` of them may be open, ``readers`` are.

    ``closing`` is set when the server ends: then every reader is woken.
    """

    def __init__(self, database: Database, closing: asyncio.Event) -> None:
        self._database = database
        self._closing = closing
        self.most = MOST_STREAMS
        self.readers = 0
        # All events after `_since` up to `_last`, in order; `_last` 0: the table has not been looked at.
        self._kept: list[Frame] = []
        self._kept_bytes = 0
        self._since = self._last = 0
        self._changed = asyncio.Event()
        self._behind = asyncio.Semaphore(MOST_BEHIND)
        self._tasks: list[asyncio.Task[None]] = []

    def join(self) -> None:
        """A reader more; the first one starts the reading of the table."""
        self.readers += 1
        if not self._tasks:
            self._tasks = [asyncio.ensure_future(self._follow()), asyncio.ensure_future(self._wake_at_the_end())]

    def leave(self) -> None:
        """A reader less; with the last one the reading ends."""
        self.readers -= 1
        if self.readers == 0:
            for task in self._tasks:
                task.cancel()
            self._tasks = []
            self._forget(len(self._kept))
            self._since = self._last = 0

    async def after(self, last: int, sweep: str | None) -> tuple[bytes, int]:
        """Some frames after an event, all or those of one sweep, and the number to go on after."""
        if self._last and last >= self._last:
            return b"", last
        if self._last and last >= self._since:
            return self._from_kept(last, sweep)
        async with self._behind:
            rows, following = await self._database.read(_next, last, sweep)
        return b"".join(frame(row).data for row in rows), following

    def _from_kept(self, last: int, sweep: str | None) -> tuple[bytes, int]:
        found, size = [], 0
        for at in range(bisect_right(self._kept, last, key=_id), len(self._kept)):
            each = self._kept[at]
            if sweep is None or sweep == each.sweep:
                found.append(each.data)
                size += len(each.data)
            if size > MOST_BYTES_AT_ONCE:
                return b"".join(found), each.id
        return b"".join(found), self._last

    async def wait(self, last: int, timeout_s: float) -> bool:
        """True as soon as there may be an event after ``last`` (or the server closes), False after the time."""
        if self._last > last:
            return True
        try:
            await asyncio.wait_for(self._changed.wait(), timeout_s)
        except asyncio.TimeoutError:
            return False
        return True

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _wake_at_the_end(self) -> None:
        await self._closing.wait()
        self._wake()

    async def _follow(self) -> None:
        while True:
            try:
                await self._take()
            except Exception as error:
                log.warning("new events cannot be read, trying again: %s", error)
                await asyncio.sleep(RETRY_S)
            else:
                self._wake()
                await asyncio.sleep(GATHER_S_A_READER * self.readers)
                await self._database.bell.wait_for_event(self._last, PATIENCE_S)

    async def _take(self) -> None:
        if self._last == 0:
            self._since = self._last = await self._database.read(events.last_id)
            return
        rows, self._last = await self._database.read(_next, self._last, None)
        self._kept += map(frame, rows)
        self._kept_bytes += sum(len(each.data) for each in self._kept[len(self._kept) - len(rows) :])
        if self._kept_bytes > MOST_KEPT_BYTES:
            self._since = self._kept[len(self._kept) // 2].id
            self._forget(len(self._kept) // 2 + 1)

    def _forget(self, count: int) -> None:
        self._kept_bytes -= sum(len(each.data) for each in self._kept[:count])
        del self._kept[:count]


def _id(each: Frame) -> int:
    return each.id


def _next(connection: Connection, after: int, sweep: str | None) -> tuple[list[Event], int]:
    """Some events and the number to go on after, which passes over those of other sweeps."""
    found = events.after(connection, after, sweep, MOST_AT_ONCE)
    if len(found) == MOST_AT_ONCE:
        return found, found[-1].id
    return found, max(after, events.last_id(connection))
