"""Carries to the server what a run writes and prints, while it runs, from a thread of its own; clears up afterwards."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from besom.agents.leftovers import remove
from besom.agents.link import Link
from besom.client.connection import backoff
from besom.client.run_folder import FSYNC_S, RunFolder
from besom.client.shipping import FolderShipper
from besom.errors import BesomError, ServerUnreachable

LOOK_S = 0.2
# A run that logs nothing is looked at less and less often.
_QUIET_LOOK_S = 1.0
_SLOWER = 1.3
_LONGEST_WAIT_S = 5.0
# One look sends at most this many pieces of each stream, so that no stream starves another.
_POSTS_A_LOOK = 8
# What goes along with the report of a run's end, at most; more is shipped before it.
_MOST_REST_BYTES = 65_536

Rest = tuple[dict[str, int], dict[str, dict[str, Any]]]


class Shipping:
    """Ships an agent's attempts, one after another. ``fetch_order`` is called when the server has an order for one.

    `begin` an attempt and the thread ships it; `hold` takes it out of the thread's hands, so that its end can be told.
    What is `discard`ed disappears from the disk a little later: nobody waits for it.
    """

    def __init__(self, link: Link, fetch_order: Callable[[], None]) -> None:
        self._link = link
        self._fetch_order = fetch_order
        self._shipper: FolderShipper | None = None
        self._under_way = False
        self._ordered = False
        self._began = 0.0
        self._fsync_due = 0.0
        self._rubbish: deque[tuple[RunFolder, int, bool]] = deque()
        # Who ships holds the one, who clears up the other.
        self._turn = threading.Lock()
        self._broom = threading.Lock()
        self._misses = 0
        self._wake = threading.Event()
        self._asleep = False
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="besom-shipping", daemon=True)
        self._thread.start()

    def begin(self, folder: RunFolder, attempt: int) -> None:
        """From now on this attempt is shipped."""
        self._shipper = FolderShipper(self._link.connection, folder, attempt)
        self._ordered = False
        self._misses = 0
        self._began = time.monotonic()
        self._fsync_due = self._began + FSYNC_S
        self._under_way = True
        self._rouse()

    def hold(self) -> None:
        """The thread leaves the attempt alone: what is left of it is `rest`'s or `ship_rest`'s."""
        self._under_way = False
        with self._turn:
            return

    def rest(self) -> Rest | None:
        """What was not shipped, as `FolderShipper.rest` gives it; None if it is too much for one request."""
        return self._current().rest(_MOST_REST_BYTES)

    def ship_rest(self) -> None:
        """Ships all there is; raises ServerUnreachable and what the server refuses. Only after `hold`."""
        try:
            while not self._link.reached(lambda: self._current().ship(most_posts=_POSTS_A_LOOK)):
                pass
        except ServerUnreachable:
            # The next try may find it at another address.
            self._link.look_again()
            raise

    def begin_again(self) -> None:
        """Asks the server anew what it has: it says that bytes are missing which we know to be there."""
        old = self._shipper
        if old is not None:
            self._shipper = FolderShipper(self._link.connection, old.folder, old.attempt)

    def offsets(self) -> dict[str, int]:
        """The shipped end of each stream."""
        return self._current().offsets()

    def discard(self, folder: RunFolder, attempt: int, *, keep_log: bool) -> None:
        """The server has it all: `leftovers.remove`, soon."""
        self._rubbish.append((folder, attempt, keep_log))
        self._rouse()

    def clear_up_meanwhile(self) -> None:
        """Has the thread remove what was discarded, while the caller waits for an answer and leaves it the processor.

        Not much later: a file system makes files fastest where some just went.
        """
        if self._rubbish:
            self._wake.set()

    def clear_up(self) -> None:
        """Removes now what was discarded."""
        with self._broom:
            while self._rubbish:
                folder, attempt, keep_log = self._rubbish.popleft()
                remove(folder, attempt, keep_log=keep_log)

    def close(self) -> None:
        """Ends the thread, clears up and hangs up."""
        self._ended = True
        self._wake.set()
        self._thread.join()
        self.clear_up()
        self._link.close()

    def _current(self) -> FolderShipper:
        assert self._shipper is not None, "no attempt was begun"
        if self._shipper.connection is not self._link.connection:
            self.begin_again()
        return self._shipper

    def _rouse(self) -> None:
        # A thread that looks again soon need not be woken: between short runs that costs more than the look.
        if self._asleep:
            self._wake.set()

    # ---- in the thread

    def _work(self) -> None:
        pause = LOOK_S
        while not self._ended:
            self._rest(pause)
            if self._rubbish:
                self.clear_up()
            age = time.monotonic() - self._began
            if not self._under_way:
                pause = LOOK_S
            elif age < LOOK_S:
                # A run that ends at once brings its rows with the report of its end.
                pause = LOOK_S - age
            else:
                with self._turn:
                    pause = self._look(pause) if self._under_way else LOOK_S

    def _rest(self, seconds: float) -> None:
        # First the word, then the look: work that comes in between wakes us.
        self._asleep = True
        if self._under_way or self._rubbish:
            self._asleep = False
        self._wake.wait(None if self._asleep else seconds)
        self._asleep = False
        self._wake.clear()

    def _look(self, pause: float) -> float:
        """One look at the attempt; seconds until the next one."""
        shipper = self._current()
        before = shipper.offsets()
        if time.monotonic() >= self._fsync_due:
            # What the server does not have yet survives a power cut from here on.
            self._fsync_due = time.monotonic() + FSYNC_S
            shipper.folder.fsync(shipper.attempt)
        try:
            self._link.reached(lambda: shipper.ship(most_posts=_POSTS_A_LOOK))
        except ServerUnreachable:
            self._misses += 1
            self._link.look_again()
            return min(backoff(self._misses), _LONGEST_WAIT_S)
        except (BesomError, OSError):
            # What is refused now is refused again when the run's end is told, and is told to the user there.
            self._under_way = False
            return LOOK_S
        self._misses = 0
        if shipper.order_waits and not self._ordered:
            self._ordered = True
            self._fetch_order()
        return LOOK_S if shipper.offsets() != before else min(max(pause, LOOK_S) * _SLOWER, _QUIET_LOOK_S)
