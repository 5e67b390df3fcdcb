"""What the person at the terminal sees: the run's output as it is, and the agent's own lines."""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import sys
import threading
from collections.abc import Callable, Mapping
from typing import TextIO

_LINE_END = re.compile(rb"[\r\n]")


class Screen:
    """``write`` takes the run's bytes, ``write_line`` the agent's lines. May be used from several threads.

    With a ``prefix`` only whole lines of the run are written, each behind the prefix: several agents at one terminal.
    """

    def __init__(
        self, write: Callable[[bytes], object], write_line: Callable[[str], object], *, prefix: str = ""
    ) -> None:
        self._write = write
        self._write_line = write_line
        self._prefix = prefix.encode()
        self._rest = b""
        self._at_line_start = True
        self._gone = False
        self._lock = threading.Lock()

    def show(self, piece: bytes) -> None:
        """Shows a piece of what the run printed."""
        if not piece:
            return
        with self._lock:
            if self._prefix:
                piece = self._whole_lines(piece)
            if piece:
                self._at_line_start = _LINE_END.match(piece[-1:]) is not None
                self._safely(lambda: self._write(piece))

    def say(self, line: str) -> None:
        """Says one line of the agent's own, on a line of its own."""
        with self._lock:
            if self._rest:
                rest, self._rest = self._rest, b""
                self._safely(lambda: self._write(self._prefix + rest + b"\n"))
            elif not self._at_line_start:
                self._safely(lambda: self._write(b"\n"))
            self._at_line_start = True
            self._safely(lambda: self._write_line(f"{self._prefix.decode()}besom: {line}\n"))

    def _whole_lines(self, piece: bytes) -> bytes:
        lines = re.split(rb"(?<=[\r\n])", self._rest + piece)
        self._rest = lines.pop()
        return b"".join(self._prefix + line for line in lines)

    def _safely(self, write: Callable[[], object]) -> None:
        # A terminal that is closed, or a reader that has gone, is no reason to end a training.
        if not self._gone:
            try:
                write()
            except (OSError, ValueError):
                self._gone = True


def terminal_screen(*, prefix: str = "") -> Screen:
    """The run's output on stdout, byte for byte; the agent's lines on stderr."""

    def write(piece: bytes) -> None:
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()

    return Screen(write, _to_stderr, prefix=prefix)


def text_screen(stream: TextIO | None = None) -> Screen:
    """Everything as text on one stream (a notebook's cell has no bytes)."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write_text(text: str) -> None:
        out = stream or sys.stdout
        out.write(text)
        out.flush()

    return Screen(lambda piece: write_text(decoder.decode(piece)), write_text)


def is_silent(environ: Mapping[str, str] = os.environ) -> bool:
    """True if the agent's own lines are not wanted."""
    value = environ.get("BESOM_SILENT", environ.get("WANDB_SILENT", ""))
    return value.strip().lower() in ("1", "true", "yes", "on")


def _to_stderr(line: str) -> None:
    with contextlib.suppress(AttributeError):
        sys.stderr.write(line)
        sys.stderr.flush()
