"""Wakes the agent's main thread out of a wait: by a signal's handler, by another thread."""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Iterable


class Wake:
    """A pipe to oneself. ``set`` may be called from a signal handler and from any thread."""

    def __init__(self) -> None:
        self.fd, self._writing = os.pipe()
        for end in (self.fd, self._writing):
            os.set_blocking(end, False)

    def set(self) -> None:
        """The next wait, or the one under way, ends at once."""
        # A full pipe wakes as well as one more byte would, and after `close` nobody waits.
        with contextlib.suppress(BlockingIOError, OSError):
            os.write(self._writing, b"!")

    def clear(self) -> None:
        """Forgets what was set until now."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self.fd, 4096):
                pass

    def wait(self, seconds: float) -> None:
        """Waits until it is set, at most so long; clears it."""
        wait_readable([self.fd], seconds)
        self.clear()

    def close(self) -> None:
        """Nobody waits any more."""
        ends = (self.fd, self._writing)
        self.fd = self._writing = -1
        for end in ends:
            os.close(end)


def wait_readable(fds: Iterable[int], timeout_s: float | None) -> set[int]:
    """Those of the file descriptors that can be read or have come to their end; waits at most so long for one."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    milliseconds = None if timeout_s is None else max(0, -int(-timeout_s * 1000 // 1))
    return {fd for fd, _ in poll.poll(milliseconds)}
