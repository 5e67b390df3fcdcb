"""A process that is kept warm between calls of the function: imports and caches are paid for once."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from besom.agents.output import Output
from besom.agents.process import Exit, Process, Surroundings


class WarmProcess:
    """The process, the socket by which it gets orders, and between two calls the pipe that it prints to."""

    def __init__(self, process: Process, orders: socket.socket) -> None:
        self.process = process
        self.orders = orders
        self.gone = False
        self._told: Mapping[str, str] = {}
        self.idle_pipe: int | None = None

    def call(self, around: Surroundings, *, log: Path | None = None, writer: str | None = None) -> PooledCall:
        """Begins a call; with ``log`` its output goes there, else where the process was started to.

        ``writer``: the process may write to the spool of this name, which lies ready.
        """
        if log is not None and self.idle_pipe is not None:
            self.process.output = Output(self.idle_pipe, log, around.on_trouble)
            self.idle_pipe = None
        told, self._told = self._told, around.environ
        # Hundreds of variables are the same in every call.
        changed = {name: value for name, value in around.environ.items() if told.get(name) != value}
        order = {"set": changed, "unset": [name for name in told if name not in around.environ], "writer": writer}
        with contextlib.suppress(BrokenPipeError):
            self.orders.sendall(json.dumps(order).encode() + b"\n")
        return PooledCall(self)

    def rest(self, show: Callable[[bytes], None]) -> None:
        """After a call: what was printed is shown, the process waits for the next one."""
        self.idle_pipe = self.process.output.hand_over(show)

    def close(self) -> None:
        """Ends the process."""
        if self.gone:
            return
        self.gone = True
        self.orders.close()
        if self.idle_pipe is not None:
            self.process.output = Output(self.idle_pipe, Path(os.devnull), lambda line: None)
        self.process.close(lambda piece: None)


class PooledCall:
    """One call in the warm process. Ending it early ends the process: the next call gets another one."""

    def __init__(self, warm: WarmProcess) -> None:
        self._warm = warm
        self._exit: Exit | None = None
        self._answer = b""
        self._hung_up = False

    @property
    def owner(self) -> dict[str, object] | None:
        """pid and start time of the process."""
        return self._warm.process.owner

    def next_piece(self, timeout_s: float | None, also: Sequence[int] = ()) -> bytes | None:
        """Something that the function printed. Waits as a process does, and for the call's end."""
        orders = () if self._hung_up or self._exit else (self._warm.orders.fileno(),)
        return self._warm.process.next_piece(timeout_s, (*also, *orders))

    def poll(self) -> Exit | None:
        """How the call ended; None while it runs."""
        if self._exit is None:
            self._hear()
        if self._exit is None:
            self._exit = self._warm.process.poll()
            self._warm.gone = self._exit is not None
        return self._exit

    def lingers(self) -> bool:
        """True while the process dies."""
        return self._warm.gone and self._warm.process.lingers()

    def send(self, number: signal.Signals) -> None:
        """Hands a signal on."""
        self._warm.process.send(number)

    def terminate(self) -> None:
        """TERM to the process."""
        self._warm.process.terminate()

    def kill(self) -> None:
        """KILL to the process."""
        self._warm.process.kill()

    def close(self, show: Callable[[bytes], None]) -> None:
        """Shows the rest; the process stays warm unless it has ended."""
        if self._warm.gone:
            self._warm.orders.close()
            self._warm.process.close(show)
        else:
            self._warm.rest(show)

    def _hear(self) -> None:
        if self._hung_up:
            return
        try:
            piece = self._warm.orders.recv(4096, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except ConnectionError:
            piece = b""
        self._hung_up = not piece
        self._answer += piece
        if self._answer.endswith(b"\n"):
            answer = json.loads(self._answer)
            self._exit = Exit(int(answer["code"]), None, answer["closed"])
