"""What a training process prints: read as bytes, kept in `console.log`, handed on to be shown."""

from __future__ import annotations

import os
import queue
import select
import threading
from collections.abc import Callable
from pathlib import Path

_PIECE = 65_536
# Pieces that wait to be shown: when the terminal stands still, the training waits as it would without an agent.
_WAITING = 64


class Output:
    """Reads one pipe in a thread of its own and owns its reading end. Nothing is decoded here.

    ``next_piece`` gives what is to be shown; an empty piece means that nobody writes to the pipe any more.
    """

    def __init__(self, fd: int, log: Path, on_trouble: Callable[[str], None]) -> None:
        self._fd = fd
        self._log: int | None = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._on_trouble = on_trouble
        self._pieces: queue.Queue[bytes] = queue.Queue(_WAITING)
        self._wake_reading, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._read, name="besom-output", daemon=True)
        self._thread.start()

    def next_piece(self, timeout_s: float) -> bytes | None:
        """The next piece to show; None when there was none in time."""
        try:
            return self._pieces.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def close(self, show: Callable[[bytes], None]) -> None:
        """Reads what is in the pipe now, shows what was not shown yet, and ends.

        Does not wait for the pipe's end: a process that left its group may keep it open for ever.
        """
        os.close(self.hand_over(show))

    def hand_over(self, show: Callable[[bytes], None]) -> int:
        """Ends as `close` does, and returns the pipe's reading end for another `Output`."""
        os.close(self._wake)
        while self._thread.is_alive() or not self._pieces.empty():
            if piece := self.next_piece(0.01):
                show(piece)
        os.close(self._wake_reading)
        if self._log is not None:
            os.close(self._log)
            self._log = None
        return self._fd

    def _read(self) -> None:
        poll = select.poll()
        poll.register(self._fd, select.POLLIN | select.POLLHUP)
        poll.register(self._wake_reading, select.POLLHUP)
        closing = False
        while True:
            ready = {fd for fd, _ in poll.poll(0 if closing else None)}
            if self._wake_reading in ready:
                closing = True
                poll.unregister(self._wake_reading)
            if self._fd in ready:
                piece = os.read(self._fd, _PIECE)
                self._keep(piece)
                self._pieces.put(piece)
                if not piece:
                    return
            elif closing and not ready:
                return

    def _keep(self, piece: bytes) -> None:
        while piece and self._log is not None:
            try:
                piece = piece[os.write(self._log, piece) :]
            except OSError as error:
                # A full disk is no reason to stop a training.
                self._on_trouble(f"what the run prints is no longer kept: {error.strerror}")
                os.close(self._log)
                self._log = None
