"""Tells the server every few seconds that the agent lives and what it holds; brings back orders."""

from __future__ import annotations

import threading
from typing import Any

from besom.agents.link import Link
from besom.agents.wake import Wake
from besom.client.connection import part
from besom.errors import BesomError, IncompatibleVersion, NotFound, ServerUnreachable, Unauthorized


class Heartbeat:
    """A thread of its own, so that neither a slow terminal nor a long answer makes a lease late.

    An answer with an order sets ``wake``.
    """

    def __init__(self, link: Link, agent_uid: str, interval_s: float, wake: Wake) -> None:
        self._link = link
        self._path = f"/api/v1/agents/{part(agent_uid)}/heartbeat"
        self._interval_s = interval_s
        self._held: list[dict[str, Any]] = []
        self._answer: dict[str, Any] | None = None
        self._lock = threading.Lock()
        self._awaited = wake
        self._wake = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._beat, name="besom-heartbeat", daemon=True)

    def start(self) -> None:
        """Begins to beat."""
        self._thread.start()

    def close(self) -> None:
        """Stops beating; waits for an answer under way."""
        self._ended = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        self._link.close()

    def hold(self, held: list[dict[str, Any]]) -> None:
        """From now on these attempts (``uid, attempt, slot``) are renewed; orders for others are void."""
        with self._lock:
            self._held = held
            self._answer = None

    def hurry(self) -> None:
        """Beats now instead of at the next turn: an order waits."""
        self._wake.set()

    def take(self) -> dict[str, Any] | None:
        """The last answer that was not taken yet (`AgentHeartbeatAnswer`)."""
        with self._lock:
            answer, self._answer = self._answer, None
            return answer

    def ends_agent(self) -> bool:
        """True if the answer that waits to be taken ends the agent."""
        with self._lock:
            return self._answer is not None and self._answer["agent"] != "go on"

    def beat_once(self) -> None:
        """Asks now; raises what the server refuses."""
        with self._lock:
            held = self._held
        answer = self._link.ask("POST", self._path, {"runs": held})
        with self._lock:
            if held is self._held:
                self._take_in(answer)

    def _take_in(self, answer: dict[str, Any]) -> None:
        self._answer = answer
        if answer["orders"] or answer["agent"] != "go on":
            self._awaited.set()

    def _beat(self) -> None:
        while not self._ended:
            self._wake.wait(self._interval_s)
            self._wake.clear()
            if self._ended:
                return
            try:
                self.beat_once()
            except (NotFound, Unauthorized, IncompatibleVersion) as error:
                with self._lock:
                    self._take_in({"orders": [], "agent": "gone", "reason": str(error)})
                return
            except ServerUnreachable:
                self._link.look_again()
            except BesomError:
                # The server's own mistake is in the server's log; the next beat may find it well.
                continue
