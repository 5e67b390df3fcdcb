"""One training process: a group of its own, no input, its output kept and shown, ended by TERM and then KILL."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn, Protocol

from besom.agents.guard import Guard, hold_line
from besom.agents.output import Output
from besom.agents.wake import wait_readable
from besom.common.discovery import process_started

# How often a process is looked at where the system does not tell of its end, and while the rest of its group dies.
TICK_S = 0.05
_NEAR_END_S = 0.0005


class Exit(NamedTuple):
    """How a process ended, as the system told it: a code, or the number of the signal that ended it.

    ``closed``: the spool of a function's run that its process has closed, where it says so.
    """

    code: int | None
    signal: int | None
    closed: str | None = None


class Child(Protocol):
    """What trains one run: a process, a call in a warm process, a call in a thread."""

    @property
    def owner(self) -> dict[str, object] | None:
        """pid and start time of its process, for a successor to end; None where it lives in the agent itself."""
        ...

    def next_piece(self, timeout_s: float | None, also: Sequence[int] = ()) -> bytes | None:
        """Something it printed. Waits at most so long for that, for its end, or for one of ``also`` to be readable."""
        ...

    def poll(self) -> Exit | None:
        """How it ended; None while it runs."""
        ...

    def lingers(self) -> bool:
        """True while something that it started is still there."""
        ...

    def send(self, number: signal.Signals) -> None:
        """Hands a signal on."""
        ...

    def terminate(self) -> None:
        """Asks it, and everything it started, to end."""
        ...

    def kill(self) -> None:
        """Ends it and everything it started."""
        ...

    def close(self, show: Callable[[bytes], None]) -> None:
        """Leaves nothing behind: ends what lingers, shows the rest of the output."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a process is started with: variables, folder, where its output is kept, who kills it if we die."""

    environ: Mapping[str, str]
    folder: Path
    log: Path
    guard: Guard
    on_trouble: Callable[[str], None]


class Process:
    """A process that leads its own session and group; ``wait`` gives its return code as `subprocess` does, or None."""

    def __init__(self, pid: int, wait: Callable[[], int | None], output: Output, guard: Guard) -> None:
        self.pid = pid
        self.started = process_started(pid)
        self._wait = wait
        self.output = output
        self._guard = guard
        self._end = _end_of(pid)
        self._tick_s = TICK_S

    @property
    def owner(self) -> dict[str, object] | None:
        """pid and start time."""
        return {"pid": self.pid, "started": self.started}

    def next_piece(self, timeout_s: float | None, also: Sequence[int] = ()) -> bytes | None:
        """Something it printed. Waits at most so long for that, for its end, or for one of ``also`` to be readable."""
        fds = [fd for fd in (self.output.fd, self._end) if fd is not None]
        if self._end is None:
            timeout_s = self._tick_s if timeout_s is None else min(timeout_s, self._tick_s)
            self._tick_s = min(TICK_S, self._tick_s * 1.5)
        ready = wait_readable([*fds, *also], timeout_s)
        if self.output.fd not in ready:
            return None
        piece = self.output.read()
        if not piece:
            # Nobody prints any more: the end is a matter of microseconds, most times.
            self._tick_s = _NEAR_END_S
        return piece

    def poll(self) -> Exit | None:
        """How it ended; None while it runs."""
        code = self._wait()
        if code is None:
            return None
        self._forget_end()
        return Exit(code, None) if code >= 0 else Exit(None, -code)

    def lingers(self) -> bool:
        """True while a process of its group is there, itself included."""
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True

    def send(self, number: signal.Signals) -> None:
        """Hands a signal on to the process itself."""
        if self._wait() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """TERM to the whole group, as a terminal would do it: a shell does not hand signals on to what it runs."""
        self._signal_group(signal.SIGTERM)

    def kill(self) -> None:
        """KILL to the whole group."""
        self._signal_group(signal.SIGKILL)

    def close(self, show: Callable[[bytes], None]) -> None:
        """Kills what is left of the group and shows the rest of the output."""
        self.kill()
        while self._wait() is None:
            self._show_until_killed(show)
        self._forget_end()
        self._guard.drop(self.pid)
        self.output.close(show)

    def _forget_end(self) -> None:
        if self._end is not None:
            os.close(self._end)
            self._end = None

    def _show_until_killed(self, show: Callable[[bytes], None]) -> None:
        if piece := self.next_piece(0.01):
            show(piece)

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


def _end_of(pid: int) -> int | None:
    """A file descriptor that is readable when the process has ended; None where the system has none."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def start_program(argv: Sequence[str], around: Surroundings) -> Process:
    """Starts a program; raises OSError when it cannot be executed."""

    def announce() -> None:
        # Before the program begins: an agent that dies right now leaves nothing behind either.
        os.write(around.guard.fd, hold_line(os.getpid()))

    return _start(argv, around, announce=announce)


def start_python(argv: Sequence[str], around: Surroundings, pass_fds: Sequence[int]) -> Process:
    """Starts a Python program of ours, which announces itself to the guard: nothing runs between fork and exec.

    A notebook's process has threads of other people's making.
    """
    return _start(argv, around, pass_fds=pass_fds)


def start_fork(body: Callable[[], int], around: Surroundings) -> Process:
    """Runs ``body`` in a fork of this process; what it returns is the exit code."""
    around.guard.ensure()
    reading, writing = os.pipe()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        with warnings.catch_warnings():
            # Python 3.12 warns of every thread; the only other threads here are the agent's own.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            _in_fork(body, around, writing, blocked)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        os.close(writing)
    around.guard.hold(pid)
    return Process(pid, _waiter(pid), Output(reading, around.log, around.on_trouble), around.guard)


def _start(
    argv: Sequence[str],
    around: Surroundings,
    *,
    announce: Callable[[], None] | None = None,
    pass_fds: Sequence[int] = (),
) -> Process:
    around.guard.ensure()
    reading, writing = os.pipe()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            popen = subprocess.Popen(
                list(argv), env=dict(around.environ), cwd=around.folder, stdin=subprocess.DEVNULL, stdout=writing,
                stderr=writing, start_new_session=True, preexec_fn=announce, pass_fds=pass_fds,
            )  # fmt: skip
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    around.guard.hold(popen.pid)
    return Process(popen.pid, popen.poll, Output(reading, around.log, around.on_trouble), around.guard)


def _waiter(pid: int) -> Callable[[], int | None]:
    found: list[int] = []

    def wait() -> int | None:
        if not found:
            try:
                ended, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                # Somebody else's handler took the status away; the process is gone, how is unknown.
                ended, status = pid, signal.SIGKILL
            if ended:
                found.append(os.waitstatus_to_exitcode(status))
        return found[0] if found else None

    return wait


def _in_fork(body: Callable[[], int], around: Surroundings, writing: int, mask: set[int | signal.Signals]) -> NoReturn:
    code = 1
    try:
        os.setsid()
        os.write(around.guard.fd, hold_line(os.getpid()))
        os.close(around.guard.fd)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for fd, target in ((nothing, 0), (writing, 1), (writing, 2)):
            os.dup2(fd, target)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.chdir(around.folder)
        os.environ.clear()
        os.environ.update(around.environ)
        code = body()
    finally:
        # Not sys.exit: what the parent wanted to do at its own end is not the fork's business.
        os._exit(code)
