"""The way to the server, which may be away for a while: asking again, and telling the user once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from besom.client.connection import Connection, backoff
from besom.errors import ServerUnreachable

Find = Callable[[], Connection]
_LONGEST_WAIT_S = 5.0


class Reach:
    """Whether the server answers, as all threads of an agent see it; tells the user when that changes."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._away = False

    def lost(self, error: ServerUnreachable) -> None:
        """Nobody answered."""
        if not self._away:
            self._away = True
            self._say(f"{error}; a run goes on, and what it logs waits on this machine's disk")

    def found(self) -> None:
        """The server answered."""
        if self._away:
            self._away = False
            self._say("the server answers again")


class Link:
    """One thread's line to the server. ``find`` looks for the server again when it has moved to another address."""

    def __init__(self, connection: Connection, find: Find, reach: Reach) -> None:
        self.connection = connection
        self.reach = reach
        self._find = find

    @property
    def server_id(self) -> str | None:
        """Which server it is; None before the first answer."""
        return self.connection.server_id

    def another(self) -> Link:
        """A line of its own for another thread: a slow answer holds up nobody else."""
        ours = self.connection
        connection = Connection(ours.url, ours.token, timeout_s=ours.timeout_s, server_id=ours.server_id)
        return Link(connection, self._find, self.reach)

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Asks once; raises ServerUnreachable when nobody answers, and what the server refuses."""
        return self.reached(lambda: self.connection.call(method, path, body))

    def ask_patiently(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        patience_s: float,
        wait: Callable[[float], bool],
    ) -> Any:
        """Asks until somebody answers, at most ``patience_s``; ``wait(seconds)`` returns False to give up at once.

        Raises ServerUnreachable when it gives up, and what the server refuses.
        """
        return self.patiently(lambda: self.ask(method, path, body), patience_s=patience_s, wait=wait)

    def patiently(self, do: Callable[[], Any], *, patience_s: float, wait: Callable[[float], bool]) -> Any:
        """Does something with the server again and again until it is there, as `ask_patiently`."""
        end = time.monotonic() + patience_s
        tries = 0
        while True:
            try:
                return do()
            except ServerUnreachable:
                pause = min(backoff(tries), _LONGEST_WAIT_S)
                if time.monotonic() + pause > end or not wait(pause):
                    raise
                tries += 1
                self.look_again()

    def reached(self, do: Callable[[], Any]) -> Any:
        """Does something with the server and remembers whether it answered; what asks it nothing tells nothing."""
        connection, heard = self.connection, self.connection.answers
        try:
            found = do()
        except ServerUnreachable as error:
            self.reach.lost(error)
            raise
        if connection.answers != heard:
            self.reach.found()
        return found

    def look_again(self) -> None:
        """Takes another address if the server has one by now."""
        with contextlib.suppress(ServerUnreachable):
            found = self._find()
            if found.url != self.connection.url:
                found.server_id = self.server_id
                self.connection.close()
                self.connection = found

    def close(self) -> None:
        """Hangs up."""
        self.connection.close()
