"""Calls the function in a thread of this process, W&B's way: shared globals, no isolation, no sure way to end it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from besom.agents.calling import call, replace_environ
from besom.agents.process import Exit
from besom.agents.wake import Wake, wait_readable

# How long a function in C code is waited for once it was told to end.
_GIVE_UP_S = 10.0
_LOOK_S = 0.5


class RunStopped(BaseException):
    """Raised inside the function's thread when its run is to end."""


class ThreadCall:
    """One call. Its output is shown where the function prints it, and kept."""

    owner = None

    def __init__(
        self, function: Callable[[], Any], environ: Mapping[str, str], log: Path, on_trouble: Callable[[str], None]
    ) -> None:
        self._code: int | None = None
        self._ended = False
        self._told: signal.Signals | None = None
        self._on_trouble = on_trouble
        self._before = dict(os.environ)
        replace_environ(environ)
        log.parent.mkdir(mode=0o700, exist_ok=True)
        self._log = log.open("a", encoding="utf-8", errors="backslashreplace")
        self._end = Wake()
        self._streams = (sys.stdout, sys.stderr)
        self._thread = threading.Thread(target=self._call, args=(function,), name="besom-run", daemon=True)
        sys.stdout, sys.stderr = (_Tee(stream, self._log, self._thread) for stream in self._streams)
        self._thread.start()

    def next_piece(self, timeout_s: float | None, also: Sequence[int] = ()) -> bytes | None:
        """Waits; what the function prints is shown already."""
        # RunStopped may strike the very line that would wake us.
        wait_readable([self._end.fd, *also], _LOOK_S if timeout_s is None else min(timeout_s, _LOOK_S))
        return None

    def poll(self) -> Exit | None:
        """How it ended; None while it runs."""
        if not self._ended and self._thread.is_alive():
            return None
        return Exit(self._code, None) if self._told is None else Exit(None, self._told)

    def lingers(self) -> bool:
        """True while the function runs."""
        return self._thread.is_alive()

    def send(self, number: signal.Signals) -> None:
        """A thread takes no signals."""

    def terminate(self) -> None:
        """Raises `RunStopped` in the function, as soon as it is in Python code."""
        self._raise(signal.SIGTERM)

    def kill(self) -> None:
        """As `terminate`: there is nothing stronger."""
        self._raise(signal.SIGKILL)

    def close(self, show: Callable[[bytes], None]) -> None:
        """Waits for the end, for a while, and puts everything back."""
        end = time.monotonic() + _GIVE_UP_S
        while self._thread.is_alive() and time.monotonic() < end:
            self._thread.join(0.1)
        if self._thread.is_alive():
            self._on_trouble(
                "the function does not end: a thread in C code cannot be stopped (isolation='process' can)"
            )
        sys.stdout, sys.stderr = self._streams
        replace_environ(self._before)
        self._log.close()
        self._end.close()

    def _call(self, function: Callable[[], Any]) -> None:
        # RunStopped may come between two lines of ours as well.
        try:
            with contextlib.suppress(RunStopped):
                self._code = call(function)
        finally:
            self._ended = True
            self._end.set()

    def _raise(self, number: signal.Signals) -> None:
        if self._thread.is_alive() and self._thread.ident is not None:
            self._told = number
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread.ident), ctypes.py_object(RunStopped))


class _Tee:
    """A stream that also keeps what one thread writes to it."""

    def __init__(self, stream: TextIO, log: TextIO, thread: threading.Thread) -> None:
        self._stream = stream
        self._log = log
        self._thread = thread

    def write(self, text: str) -> int:
        if threading.current_thread() is self._thread and not self._log.closed:
            self._log.write(text)
            self._log.flush()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
