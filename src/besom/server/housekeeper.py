"""The server's timers: end late leases, keep what grows bounded, say that the server lives.

A lease counts only time in which the server was up, so after a gap every lease gets a full period.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from besom.errors import DataFolderError, ServerBusy
from besom.operations import housekeeping
from besom.server.lock import BEAT_EVERY_S, TakenOver
from besom.server.services import Services

log = logging.getLogger("besom.server")

TICK_S = 3.0
# More than this much off in the time between two ticks is a clock that was set, a machine that slept, or a server
# that was stopped.
JUMP_S = 10.0
TRIM_EVERY_S = 600.0
TIDY_EVERY_S = 6 * 3600.0


def jumped(since_s: float, expected_s: float = TICK_S, most_s: float = JUMP_S) -> bool:
    """True if the wall clock moved by something else than the time that a tick takes."""
    return abs(since_s - expected_s) > most_s


class Housekeeper:
    """Ticks and beats until the server closes."""

    def __init__(self, services: Services) -> None:
        self._services = services
        lease_s = services.settings.lease_s
        self._tick_s = min(TICK_S, lease_s / 4)
        self._jump_s = min(JUMP_S, lease_s / 2)
        self._last: float | None = None
        self._trimmed = 0.0
        self._tidied = 0.0

    async def run(self) -> None:
        """Runs until ``services.closing`` is set; a tick that fails is logged and the next one tries again."""
        # A database that makes a tick wait must not make the server look dead to other hosts.
        await asyncio.gather(self._ticks(), self._beats(), self._packs())

    async def _ticks(self) -> None:
        while not self._services.closing.is_set():
            try:
                await self.tick(self._services.now())
            except (DataFolderError, ServerBusy) as error:
                log.warning("the housekeeping has to wait: %s", error)
            except Exception:
                log.exception("the housekeeping failed")
            await self._pause(self._tick_s)

    async def _beats(self) -> None:
        while not self._services.closing.is_set():
            self.beat()
            await self._pause(BEAT_EVERY_S)

    async def _packs(self) -> None:
        """Packs the rows of runs that have ended, slice by slice: what is asked meanwhile takes its turn between."""
        while not self._services.closing.is_set():
            try:
                while await self._services.database.write(housekeeping.compact):
                    pass
            except (DataFolderError, ServerBusy) as error:
                log.warning("the packing of rows has to wait: %s", error)
            except Exception:
                log.exception("the packing of rows failed")
            await self._pause(self._tick_s)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._services.closing.wait(), seconds)

    def beat(self) -> None:
        """Says that the server lives; ends it when another one has taken its folder."""
        try:
            self._services.beat()
        except TakenOver as error:
            log.error("%s: this one ends", error)
            self._services.end()
        except OSError as error:
            log.warning("the data folder's lock cannot be renewed now: %s", error)

    async def tick(self, now: float) -> None:
        """Everything that is due at ``now``."""
        write = self._services.database.write
        if self._last is None or jumped(now - self._last, self._tick_s, self._jump_s):
            if self._last is not None:
                log.warning("%.0f s went by between two ticks: every lease begins anew", now - self._last)
            await write(housekeeping.renew_all_leases, now=now)
        else:
            for uid in await write(housekeeping.expire_leases, now=now):
                log.warning("run %s: its agent has not been heard within the lease", uid)
        self._last = now
        if abs(now - self._trimmed) > TRIM_EVERY_S:
            self._trimmed = now
            await write(housekeeping.trim_events, self._services.settings.events_kept)
        if abs(now - self._tidied) > TIDY_EVERY_S:
            self._tidied = now
            await write(housekeeping.tidy, now)
