"""What a training process prints: read as bytes, kept in `console.log`, handed on to be shown."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

_PIECE = 65_536
# What is read at the end, at most: a process that left its group may write to the pipe for ever.
_MOST_AT_THE_END = 256


class Output:
    """Reads one pipe and owns its reading end. Nothing is decoded here. The log is made when there is something in it.

    ``fd`` is what to wait for; None when nobody writes to the pipe any more.
    """

    def __init__(self, fd: int, log: Path, on_trouble: Callable[[str], None]) -> None:
        os.set_blocking(fd, False)
        self.fd: int | None = fd
        self._pipe = fd
        self._place: Path | None = log
        self._log: int | None = None
        self._on_trouble = on_trouble

    def read(self) -> bytes | None:
        """What was printed since, kept already; None if nothing was, an empty piece at the pipe's end."""
        if self.fd is None:
            return None
        try:
            piece = os.read(self.fd, _PIECE)
        except BlockingIOError:
            return None
        if piece:
            self._keep(piece)
        else:
            self.fd = None
        return piece

    def close(self, show: Callable[[bytes], None]) -> None:
        """Reads what is in the pipe now, shows it, and ends.

        Does not wait for the pipe's end: a process that left its group may keep it open for ever.
        """
        os.close(self.hand_over(show))

    def hand_over(self, show: Callable[[bytes], None]) -> int:
        """Ends as `close` does, and returns the pipe's reading end for another `Output`."""
        for _ in range(_MOST_AT_THE_END):
            if not (piece := self.read()):
                break
            show(piece)
        if self._log is not None:
            os.close(self._log)
            self._log = None
        self._place = None
        return self._pipe

    def _keep(self, piece: bytes) -> None:
        try:
            if self._place is not None:
                place, self._place = self._place, None
                place.parent.mkdir(mode=0o700, exist_ok=True)
                self._log = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            while piece and self._log is not None:
                piece = piece[os.write(self._log, piece) :]
        except OSError as error:
            # A full disk is no reason to stop a training.
            self._on_trouble(f"what the run prints is no longer kept: {error.strerror}")
            if self._log is not None:
                os.close(self._log)
                self._log = None
