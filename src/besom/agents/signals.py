"""Signals at the agent: the Ctrl-C ladder, and handing signals on to the training.

1st Ctrl-C (or TERM, HUP): ask for no more runs and wait for the current one. 2nd: TERM to it. 3rd: KILL.
"""

from __future__ import annotations

import signal
import threading
from collections import deque
from types import FrameType, TracebackType
from typing import Any

from besom.agents.wake import Wake

LADDER = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What `--forward-signals` hands on. Job control and faults stay with the process they are meant for.
FORWARDED = (
    signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU,
)  # fmt: skip
# Those of them that ask a process to end.
ENDING = frozenset([signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM])


class Signals:
    """Takes the agent's signals while it is entered; gives the old handlers back afterwards.

    ``step`` counts how often the agent was asked to end (0: go on), ``heard`` how much of it was answered;
    ``to_forward`` holds signals for the training. Each signal sets ``wake``.
    Only the main thread can take signals: entered elsewhere, it takes none.
    """

    def __init__(self, wake: Wake, *, forward: bool = False) -> None:
        self.step = 0
        self.heard = 0
        self.last: signal.Signals | None = None
        self.to_forward: deque[signal.Signals] = deque()
        self._wake = wake
        self._forward = forward
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():
            for number in LADDER + (FORWARDED if self._forward else ()):
                # An ignored signal was ignored on purpose: nohup.
                if number not in self._before and signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._take)
            # `besom run` starts its agents with these held back: what came during the start is heard now.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, self._before)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before.clear()

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.last = signal.Signals(number)
        if self._forward:
            self.to_forward.append(self.last)
        if self.last in LADDER or self.last in ENDING:
            self.step += 1
        self._wake.set()
