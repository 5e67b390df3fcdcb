"""The bell that says "there are new events": it carries no news itself, readers look into the table.

One process rings it after a commit; on PostgreSQL other processes are told by NOTIFY and a thread here listens.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

CHANNEL = "besom_event"

log = logging.getLogger(__name__)


class Bell:
    """Knows the last event id and wakes whoever waits for a later one. Safe from any thread."""

    def __init__(self, last: int = 0) -> None:
        self._last = last
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def ring(self, last: int) -> None:
        """Tells that events up to ``last`` can be read."""
        with self._lock:
            if last <= self._last:
                return
            self._last = last
            woken, self._waiting = self._waiting, set()
        for loop, event in woken:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    async def wait_for_event(self, after: int, timeout: float) -> bool:
        """True as soon as there may be an event later than ``after``; False after ``timeout`` seconds."""
        event = asyncio.Event()
        entry = (asyncio.get_running_loop(), event)
        with self._lock:
            if self._last > after:
                return True
            self._waiting.add(entry)
        try:
            await asyncio.wait_for(event.wait(), timeout)
            return True
        except asyncio.TimeoutError:
            return False
        finally:
            with self._lock:
                self._waiting.discard(entry)


class Listener(threading.Thread):
    """Rings the bell for what other processes have written to the same PostgreSQL."""

    def __init__(self, conninfo: dict[str, Any], bell: Bell) -> None:
        super().__init__(name="besom-listen", daemon=True)
        self._conninfo = conninfo
        self._bell = bell
        self._closing = threading.Event()
        self.listening = threading.Event()

    def run(self) -> None:
        """Listens until closed; a lost connection is made again after a pause."""
        import psycopg

        while not self._closing.is_set():
            try:
                self._listen(psycopg)
            except psycopg.Error as error:
                self.listening.clear()
                log.warning("lost the connection that listens for events, trying again: %s", type(error).__name__)
                self._closing.wait(1.0)

    def _listen(self, psycopg: Any) -> None:
        with psycopg.connect(**self._conninfo, autocommit=True) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()
            self._bell.ring(last)
            self.listening.set()
            while not self._closing.is_set():
                for note in connection.notifies(timeout=0.5, stop_after=1):
                    self._bell.ring(int(note.payload))

    def close(self) -> None:
        """Ends the thread."""
        self._closing.set()
        self.join(timeout=5)
