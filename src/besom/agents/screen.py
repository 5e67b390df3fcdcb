"""What the person at the terminal sees: the run's output as it is, and the agent's own lines."""

from __future__ import annotations

import codecs
import contextlib
import sys
import threading
from collections.abc import Callable
from typing import TextIO


class Screen:
    """``write`` takes the run's bytes, ``write_line`` the agent's lines. May be used from several threads."""

    def __init__(self, write: Callable[[bytes], object], write_line: Callable[[str], object]) -> None:
        self._write = write
        self._write_line = write_line
        self._at_line_start = True
        self._gone = False
        self._lock = threading.Lock()

    def show(self, piece: bytes) -> None:
        """Shows a piece of what the run printed."""
        if piece:
            with self._lock:
                self._at_line_start = piece.endswith((b"\n", b"\r"))
                self._safely(lambda: self._write(piece))

    def say(self, line: str) -> None:
        """Says one line of the agent's own, on a line of its own."""
        with self._lock:
            if not self._at_line_start:
                self._safely(lambda: self._write(b"\n"))
            self._at_line_start = True
            self._safely(lambda: self._write_line(f"besom: {line}\n"))

    def _safely(self, write: Callable[[], object]) -> None:
        # A terminal that is closed, or a reader that has gone, is no reason to end a training.
        if not self._gone:
            try:
                write()
            except (OSError, ValueError):
                self._gone = True


def terminal_screen() -> Screen:
    """The run's output on stdout, byte for byte; the agent's lines on stderr."""

    def write(piece: bytes) -> None:
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()

    return Screen(write, _to_stderr)


def text_screen(stream: TextIO | None = None) -> Screen:
    """Everything as text on one stream (a notebook's cell has no bytes)."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write_text(text: str) -> None:
        out = stream or sys.stdout
        out.write(text)
        out.flush()

    return Screen(lambda piece: write_text(decoder.decode(piece)), write_text)


def _to_stderr(line: str) -> None:
    with contextlib.suppress(AttributeError):
        sys.stderr.write(line)
        sys.stderr.flush()
