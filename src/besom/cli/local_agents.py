"""Agents as child processes of `besom run`: started together, their output as lines, signals handed on."""

from __future__ import annotations

import codecs
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_PIECE = 65_536
# Lines that wait to be shown; a terminal that stands still lets the agents wait.
_WAITING = 1_000


class Line(NamedTuple):
    """Something an agent printed. ``whole`` is false for a line that will still change, as progress bars do."""

    agent: int
    text: str
    whole: bool


class LineReader:
    r"""Cuts bytes into lines as a terminal would show them: what stands after the last ``\r`` counts."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._shown = ""

    def feed(self, piece: bytes, *, last: bool = False) -> Iterator[tuple[str, bool]]:
        """Yields (text, whole); an unfinished line only when it holds a new state of a progress bar."""
        *lines, self._rest = (self._rest + self._decoder.decode(piece, last)).split("\n")
        for line in lines:
            self._shown = ""
            yield visible(line), True
        if last and self._rest:
            yield visible(self._rest), True
        elif "\r" in self._rest:
            state = visible(self._rest)
            self._rest = self._rest[self._rest.rindex("\r") :]
            if state and state != self._shown:
                self._shown = state
                yield state, False


def visible(line: str) -> str:
    r"""What a terminal shows of a line with ``\r`` in it: the last part that is not empty."""
    return next((part for part in reversed(line.split("\r")) if part), "")


def shares(count: int | None, agents: int) -> list[int | None]:
    """How many runs each agent may start so that all together start ``count``; agents with none are left out."""
    if count is None:
        return [None] * agents
    return [count // agents + (number < count % agents) for number in range(agents) if number < count]


class LocalAgents:
    """The agents of one `besom run`. They die with this process, however it ends."""

    def __init__(self, path: str, counts: Sequence[int | None]) -> None:
        from besom.agents.guard import Guard

        self._guard = Guard()
        self._guard.ensure()
        self._lines: queue.Queue[Line | None] = queue.Queue(_WAITING)
        self._open = len(counts)
        self._processes = [self._start(path, count) for count in counts]
        for number, process in enumerate(self._processes, start=1):
            threading.Thread(target=self._read, args=(number, process), name=f"agent-{number}", daemon=True).start()

    def _start(self, path: str, count: int | None) -> subprocess.Popen[bytes]:
        from besom.agents.signals import LADDER

        command = [sys.executable, "-m", "besom", "agent", "--quiet", path]
        command += ["--count", str(count)] if count is not None else []
        # Held back until the agent has handlers for them: a Ctrl-C during its start would end it with a traceback.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, LADDER)
        try:
            # A session of its own: Ctrl-C reaches an agent once, through us, and not from the terminal as well.
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._guard.hold(process.pid)
        return process

    def _read(self, number: int, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        reader = LineReader()
        descriptor = process.stdout.fileno()
        while piece := os.read(descriptor, _PIECE):
            for text, whole in reader.feed(piece):
                self._lines.put(Line(number, text, whole))
        for text, whole in reader.feed(b"", last=True):
            self._lines.put(Line(number, text, whole))
        self._lines.put(None)

    def lines(self, timeout_s: float) -> Iterator[Line]:
        """What there is to show: waits at most so long for the first line, never for the following ones."""
        try:
            line = self._lines.get(timeout=timeout_s)
            while True:
                if line is None:
                    self._open -= 1
                else:
                    yield line
                line = self._lines.get_nowait()
        except queue.Empty:
            return

    @property
    def working(self) -> bool:
        """True while an agent lives or something that it said was not shown yet."""
        return self._open > 0 or any(process.poll() is None for process in self._processes)

    def send(self, number: signal.Signals) -> None:
        """Hands a signal on to every agent that lives."""
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(number)

    def close(self) -> list[int]:
        """Waits for the agents' ends and returns their exit codes."""
        codes = [process.wait() for process in self._processes]
        for process in self._processes:
            self._guard.drop(process.pid)
            if process.stdout is not None:
                process.stdout.close()
        self._guard.close()
        return codes
