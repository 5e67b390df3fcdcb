"""The thread that ships a run which no agent ships: introduces it, sends its rows, says that it lives, ends it.

It only reads files that `log` wrote, so `log` never waits for it. What it cannot send stays for `besom sync`.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

from besom.client.connection import Connection, backoff, part
from besom.client.run_folder import RunFolder
from besom.client.say import warn
from besom.client.shipping import FolderShipper
from besom.errors import BesomError, ServerError, ServerUnreachable

# The first values should be on the page at once; later, once a second is enough for every reader.
QUICK_LOOKS = 10
QUICK_S = 0.2
LOOK_S = 1.0
HEARTBEAT_S = 15.0
FSYNC_S = 5.0


class Sender:
    """Ships one attempt of a run folder in the background.

    ``connect`` finds the server (it may raise ServerUnreachable); ``on_stop`` is called once, in this thread, with
    the reason when the server wants the run to end. ``watched`` means that an agent looks after the run's life: then
    the sender ships rows and nothing else.
    """

    def __init__(
        self,
        folder: RunFolder,
        attempt: int,
        connect: Callable[[], Connection],
        *,
        watched: bool = False,
        on_stop: Callable[[str], None] | None = None,
    ) -> None:
        self.folder = folder
        self.attempt = attempt
        self.state: str | None = None
        self.confirmed = False
        self.trouble: str | None = None
        self._connect = connect
        self._watched = watched
        self._on_stop = on_stop
        self._shipper: FolderShipper | None = None
        self._introduced = watched
        self._heartbeat_due = 0.0
        self._fsync_due = time.monotonic() + FSYNC_S
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, name="besom-sender", daemon=True)

    def introduce(self) -> dict[str, Any]:
        """Tells the server of the run (the same request twice is one run) and returns its answer, ``StartedRun``."""
        facts = self.folder.config()
        answer: dict[str, Any] = self._connected().connection.call("POST", "/api/v1/runs", facts["new_run"])
        learned = {key: answer[key] for key in ("name", "display_name", "entity", "project", "url")}
        self.folder.write_config({**facts, **learned})
        self._introduced = True
        return answer

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def finish(self, timeout_s: float) -> bool:
        """Sends the rest and the end that the run folder keeps; True when the server has confirmed all of it.

        Waits at most ``timeout_s`` seconds; KeyboardInterrupt ends the wait.
        """
        self._ending.set()
        self._wake.set()
        self._over.wait(timeout_s)
        return self.confirmed

    # ---- in the thread

    def _live(self) -> None:
        looks = failures = 0
        try:
            while True:
                try:
                    if self._look():
                        return
                    failures = 0
                except ServerUnreachable as error:
                    self._tell(f"{error}; the run goes on and is sent later")
                    failures += 1
                except ServerError as error:
                    self._tell(str(error))
                    failures += 1
                looks += 1
                self._sleep(self._pause(looks, failures))
        except (BesomError, OSError) as error:
            # A refusal is an answer: asking again would be refused again.
            self.trouble = str(error)
            warn(f"the server does not take this run: {error}")
        finally:
            self._over.set()

    def _look(self) -> bool:
        """One round; True when the run has ended and the server knows everything."""
        ending = self._ending.is_set()
        if not self._introduced:
            self.introduce()
        shipper = self._connected()
        self._keep_safe(shipper)
        complete = shipper.ship()
        self.trouble = None
        if ending and complete:
            self._end(shipper)
            return True
        self._say_alive(shipper)
        return False

    def _end(self, shipper: FolderShipper) -> None:
        if not self._watched:
            finish = {**(self.folder.end(self.attempt) or {}), "offsets": shipper.offsets()}
            answer = shipper.connection.call("POST", f"{self._address()}/finish", finish)
            self.state = str(answer["state"])
            for sentence in answer["warnings"]:
                warn(str(sentence))
        self.folder.mark_done(self.attempt)
        self.confirmed = True
        self.folder.discard()

    def _say_alive(self, shipper: FolderShipper) -> None:
        hurry = shipper.order_waits and self._on_stop is not None
        if self._watched or (time.monotonic() < self._heartbeat_due and not hurry):
            return
        self._heartbeat_due = time.monotonic() + HEARTBEAT_S
        reason = shipper.connection.call("POST", f"{self._address()}/heartbeat", {}).get("stop")
        if reason and self._on_stop is not None:
            on_stop, self._on_stop = self._on_stop, None
            self.folder.ask_to_stop(str(reason))
            on_stop(str(reason))

    def _keep_safe(self, shipper: FolderShipper) -> None:
        if time.monotonic() >= self._fsync_due:
            self._fsync_due = time.monotonic() + FSYNC_S
            shipper.fsync()

    def _connected(self) -> FolderShipper:
        if self._shipper is None:
            self._shipper = FolderShipper(self._connect(), self.folder, self.attempt)
        return self._shipper

    def _address(self) -> str:
        return f"/api/v1/runs/{part(self.folder.uid)}/attempts/{self.attempt}"

    def _pause(self, looks: int, failures: int) -> float:
        if self._ending.is_set():
            return QUICK_S if not failures else LOOK_S
        if failures:
            return backoff(failures - 1, random.random)
        return QUICK_S if looks < QUICK_LOOKS else LOOK_S

    def _sleep(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()

    def _tell(self, sentence: str) -> None:
        if self.trouble is None:
            warn(sentence)
        self.trouble = sentence
