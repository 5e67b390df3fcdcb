"""The thread that ships a run which no agent ships: introduces it, sends its rows, says that it lives, ends it.

It only reads files that `log` wrote, so `log` never waits for it. What it cannot send stays for `besom sync`.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from besom.client.connection import Connection, backoff, part
from besom.client.run_folder import FSYNC_S, RunFolder
from besom.client.say import warn
from besom.client.shipping import MOST_REST_BYTES, FolderShipper
from besom.errors import BesomError, Refused, ServerError, ServerUnreachable

# The first values should be on the page at once; later, once a second is enough for every reader.
QUICK_LOOKS = 10
QUICK_S = 0.2
LOOK_S = 1.0
HEARTBEAT_S = 15.0


class Sender:
    """Ships one attempt of a run folder in the background.

    ``connect(start=…)`` finds the server and starts this user's own one if it may (it may raise ServerUnreachable);
    ``on_stop`` is called once, in this thread, with
    the reason when the server wants the run to end. ``watched`` means that an agent looks after the run's life: then
    the sender ships rows and nothing else.
    """

    def __init__(
        self,
        folder: RunFolder,
        attempt: int,
        connect: Callable[[bool], Connection],
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
        self._how_it_ended: Mapping[str, Any] = {}
        self._introduced = watched
        self._separately = watched
        self._heartbeat_due = 0.0
        self._heartbeat_s = HEARTBEAT_S
        self._fsync_due = time.monotonic() + FSYNC_S
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, name="besom-sender", daemon=True)

    @property
    def connection(self) -> Connection:
        """The line to the server; raises ServerUnreachable if none is found."""
        return self._connected().connection

    def introduce(self) -> dict[str, Any]:
        """Tells the server of the run (the same request twice is one run) and returns its answer, ``StartedRun``."""
        facts = self.folder.config()
        answer: dict[str, Any] = self.connection.call("POST", "/api/v1/runs", facts["new_run"])
        self._heartbeat_s = min(HEARTBEAT_S, float(answer.get("heartbeat_s", HEARTBEAT_S)))
        learned = {key: answer[key] for key in ("name", "display_name", "entity", "project", "url")}
        learned["server"] = self.connection.server_id
        with contextlib.suppress(OSError):
            # On a full disk the run does without them.
            self.folder.write_config({**facts, **learned}, durable=False)
        self._introduced = True
        self._heartbeat_due = time.monotonic() + self._heartbeat_s
        return answer

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def finish(self, how: Mapping[str, Any], timeout_s: float) -> bool:
        """Sends the rest and how the run ended (fields of ``FinishRun``); True when the server has confirmed all of it.

        Waits at most ``timeout_s`` seconds; KeyboardInterrupt ends the wait.
        """
        self._how_it_ended = how
        self._ending.set()
        self._wake.set()
        done = self._over.wait(timeout_s) and self.confirmed
        if done:
            # Not in the thread: a process that ends meanwhile would leave half of the folder.
            self.folder.discard()
        return done

    # ---- in the thread

    def _live(self) -> None:
        looks = failures = 0
        # What a short run writes goes along with its end.
        self._sleep(QUICK_S)
        try:
            while True:
                try:
                    if self._look():
                        return
                    failures = 0
                    self.trouble = None
                except ServerUnreachable as error:
                    self._tell(f"{error}; the run goes on and is sent later")
                    failures += 1
                    self._look_elsewhere()
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
        if ending and not self._separately and (along := shipper.rest(MOST_REST_BYTES)) is not None:
            try:
                self._end(shipper, *along)
                return True
            except Refused:
                # Rows are missing there: the server is asked what it has, and told the end after that.
                self._separately = True
                self._ask_anew(shipper.connection)
                return False
        complete = shipper.ship()
        if ending and complete:
            self._end(shipper, shipper.offsets(), {})
            return True
        self._say_alive(shipper)
        return False

    def _end(self, shipper: FolderShipper, offsets: dict[str, int], rest: dict[str, Any]) -> None:
        if not self._watched:
            finish = {**self._how_it_ended, "offsets": offsets, "rest": rest}
            answer = shipper.connection.call("POST", f"{self._address()}/finish", finish)
            self.state = str(answer["state"])
            for sentence in answer["warnings"]:
                warn(str(sentence))
        self.confirmed = True
        with contextlib.suppress(OSError):
            # What the disk does not take now is said again by `besom sync`, and changes nothing then.
            self.folder.mark_done(self.attempt)

    def _say_alive(self, shipper: FolderShipper) -> None:
        hurry = shipper.order_waits and self._on_stop is not None
        if self._watched or (time.monotonic() < self._heartbeat_due and not hurry):
            return
        self._heartbeat_due = time.monotonic() + self._heartbeat_s
        reason = shipper.connection.call("POST", f"{self._address()}/heartbeat", {}).get("stop")
        if reason and self._on_stop is not None:
            on_stop, self._on_stop = self._on_stop, None
            with contextlib.suppress(OSError):
                self.folder.ask_to_stop(str(reason))
            on_stop(str(reason))

    def _connected(self) -> FolderShipper:
        if self._shipper is None:
            self._shipper = FolderShipper(self._connect(True), self.folder, self.attempt, fresh=True)
        return self._shipper

    def _ask_anew(self, connection: Connection) -> None:
        self._shipper = FolderShipper(connection, self.folder, self.attempt)

    def _look_elsewhere(self) -> None:
        """A server that was started again may have another address."""
        if self._shipper is None:
            return
        old = self._shipper.connection
        with contextlib.suppress(ServerUnreachable):
            found = self._connect(False)
            if found.url != old.url:
                found.server_id = old.server_id
                old.close()
                self._ask_anew(found)

    def _address(self) -> str:
        return f"/api/v1/runs/{part(self.folder.uid)}/attempts/{self.attempt}"

    def _pause(self, looks: int, failures: int) -> float:
        if self._ending.is_set():
            return QUICK_S if not failures else LOOK_S
        if failures:
            return backoff(failures - 1, random.random)
        return QUICK_S if looks < QUICK_LOOKS else LOOK_S

    def _sleep(self, seconds: float) -> None:
        """Waits until it is time or somebody wakes it; what was written is made safe meanwhile, server or not."""
        end = time.monotonic() + seconds
        while not self._wake.wait(max(0.0, min(end, self._fsync_due) - time.monotonic())):
            if time.monotonic() >= self._fsync_due:
                self._fsync_due = time.monotonic() + FSYNC_S
                self.folder.fsync(self.attempt)
            if time.monotonic() >= end:
                break
        self._wake.clear()

    def _tell(self, sentence: str) -> None:
        if self.trouble is None:
            warn(sentence)
        self.trouble = sentence
