"""Carries to the server what a run writes and prints, while it runs, from a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from besom.agents.link import Link
from besom.client.connection import backoff
from besom.client.run_folder import RunFolder
from besom.client.shipping import FolderShipper
from besom.errors import BesomError, ServerUnreachable

LOOK_S = 0.2
_LONGEST_WAIT_S = 5.0
# One look sends at most this many pieces of each stream, so that no stream starves another.
_POSTS_A_LOOK = 8


class Shipping:
    """Ships one attempt's streams every 0.2 s; calls ``fetch_order`` once when the server has an order for the run."""

    def __init__(self, link: Link, folder: RunFolder, attempt: int, fetch_order: Callable[[], None]) -> None:
        self._link = link
        self._folder = folder
        self._attempt = attempt
        self._fetch_order: Callable[[], None] | None = fetch_order
        self._shipper = FolderShipper(link.connection, folder, attempt)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ship, name="besom-shipping", daemon=True)
        self._thread.start()

    def end_thread(self) -> None:
        """The thread stops; what is left is `ship_rest`'s."""
        self._ended.set()
        self._thread.join()

    def ship_rest(self) -> None:
        """Ships all there is; raises ServerUnreachable and what the server refuses. Only after `end_thread`."""
        self._follow_the_server()
        try:
            while not self._link.reached(lambda: self._shipper.ship(most_posts=_POSTS_A_LOOK)):
                pass
        except ServerUnreachable:
            # The next try may find it at another address.
            self._link.look_again()
            raise

    def close(self) -> None:
        """Hangs up."""
        self._link.close()

    def begin_again(self) -> None:
        """Asks the server anew what it has: it says that bytes are missing which we know to be there."""
        self._shipper = FolderShipper(self._link.connection, self._folder, self._attempt)

    def offsets(self) -> dict[str, int]:
        """The shipped end of each stream."""
        return self._shipper.offsets()

    def _ship(self) -> None:
        misses = 0
        while not self._ended.wait(min(backoff(misses), _LONGEST_WAIT_S) if misses else LOOK_S):
            try:
                self._follow_the_server()
                self._link.reached(lambda: self._shipper.ship(most_posts=_POSTS_A_LOOK))
                misses = 0
                if self._shipper.order_waits and self._fetch_order is not None:
                    self._fetch_order()
                    self._fetch_order = None
            except ServerUnreachable:
                misses += 1
                self._link.look_again()
            except (BesomError, OSError):
                # What is refused now is refused again when the run's end is told, and is told to the user there.
                return

    def _follow_the_server(self) -> None:
        if self._shipper.connection is not self._link.connection:
            self._shipper = FolderShipper(self._link.connection, self._folder, self._attempt)
