"""The server's timer: ends late leases, keeps the events bounded, says that the server lives.

A lease counts only time in which the server was up, so after a gap every lease gets a full period.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from besom.operations import housekeeping
from besom.server.lock import BEAT_EVERY_S
from besom.server.services import Services

log = logging.getLogger("besom.server")

TICK_S = 3.0
# More than this much off in the time between two ticks is a clock that was set, a machine that slept, or a server
# that was stopped.
JUMP_S = 10.0
TRIM_EVERY_S = 600.0


def jumped(since_s: float, expected_s: float = TICK_S) -> bool:
    """True if the wall clock moved by something else than the time that a tick takes."""
    return abs(since_s - expected_s) > JUMP_S


class Housekeeper:
    """Ticks until the server closes."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._last: float | None = None
        self._beaten = 0.0
        self._trimmed = 0.0

    async def run(self) -> None:
        """Runs until ``services.closing`` is set; a tick that fails is logged and the next one tries again."""
        while not self._services.closing.is_set():
            try:
                await self.tick(self._services.now())
            except Exception:
                log.exception("the housekeeping failed")
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._services.closing.wait(), TICK_S)

    async def tick(self, now: float) -> None:
        """Everything that is due at ``now``."""
        write = self._services.database.write
        if self._last is None or jumped(now - self._last):
            if self._last is not None:
                log.warning("the clock moved by %.0f s between two ticks: every lease begins anew", now - self._last)
            await write(housekeeping.renew_all_leases, now=now)
        else:
            for uid in await write(housekeeping.expire_leases, now=now):
                log.warning("run %s: its agent has not been heard within the lease", uid)
        self._last = now
        if abs(now - self._trimmed) > TRIM_EVERY_S:
            self._trimmed = now
            await write(housekeeping.trim_events)
        if abs(now - self._beaten) > BEAT_EVERY_S:
            self._beaten = now
            self._services.beat()
