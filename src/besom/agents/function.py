"""`besom.agent(id, function=train)`: each run is a call of a Python function."""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from besom.agents.calling import call_in_fork, serve_in_fork
from besom.agents.environment import ON_PATH, RunFacts, child_environment
from besom.agents.exit_codes import Ending, ExitCode
from besom.agents.guard import Guard
from besom.agents.in_thread import ThreadCall
from besom.agents.loop import Options, program_agent, run
from besom.agents.process import Child, Process, Surroundings, start_fork, start_python
from besom.agents.screen import text_screen
from besom.agents.starting import CannotStart
from besom.agents.warm import PooledCall, WarmProcess
from besom.client.finding import find_server
from besom.common.places import data_folder
from besom.errors import BesomError, NotFound, Refused, ServerUnreachable, UsageError

Isolation = Literal["process", "pool", "thread"]
_CHILD = Path(__file__).with_name("function_child.py")
# Their runtimes begin threads of their own that a fork cannot take along.
_UNFORKABLE = ("jax", "tensorflow", "ray")
_RAISED: dict[ExitCode, type[BesomError]] = {
    ExitCode.NOT_FOUND: NotFound,
    ExitCode.UNREACHABLE: ServerUnreachable,
    ExitCode.SWEEP_ENDED: Refused,
    ExitCode.CANNOT_START: UsageError,
    ExitCode.ERROR: BesomError,
}


def run_agent(
    sweep_id: str,
    function: Callable[[], Any] | None = None,
    entity: str | None = None,
    project: str | None = None,
    count: int | None = None,
    forward_signals: bool = False,
    term_timeout: float | None = None,
    max_consecutive_failed_runs: int | None = None,
    *,
    isolation: Isolation = "process",
) -> None:
    """Takes runs from a sweep and trains each by calling ``function()``, until the sweep or ``count`` ends it.

    Without a function the sweep's program is started, as `besom agent` does. ``isolation``: "process", each call in a
    process of its own, which can be killed and gives its memory back (forked where that is safe, else a fresh one that
    gets the function by cloudpickle); "pool", one process for one call after another; "thread", in a thread here,
    with this process's globals. ``term_timeout`` in seconds, with ``forward_signals``. An exception out of the
    function makes the run fail, not the agent.

    Raises UsageError for a mistake in the call, NotFound without such a sweep, Refused when the sweep has ended,
    ServerUnreachable without a server.
    """
    environ = dict(os.environ)
    options = Options(
        sweep_id, entity, project, count, forward_signals, term_timeout, max_consecutive_failed_runs, environ=environ
    )
    if isolation not in ("process", "pool", "thread"):
        raise UsageError(f"isolation={isolation!r}: choose one of 'process', 'pool', 'thread'")
    if function is not None and not callable(function):
        raise UsageError(f"function={function!r} cannot be called: give the function itself, without parentheses")
    options.check()
    screen = text_screen()
    connection = find_server(
        environ, start=data_folder(environ).is_dir(), say=lambda line: screen.say(line.removeprefix("besom: "))
    )

    def find() -> Any:
        return find_server(environ, start=False)

    if function is None:
        ending = program_agent(options, connection, find, screen)
    else:
        ending = run(options, FunctionStarter(function, environ, isolation), connection, find, screen)
    if error := _RAISED.get(ending.code):
        raise error(ending.reason)


def must_spawn() -> bool:
    """True if this process cannot be forked safely: threads of others are live, or CUDA is."""
    if sys.platform == "darwin" or threading.active_count() > 1 or _native_threads() > 1:
        return True
    if any(name in sys.modules for name in _UNFORKABLE) or _real_wandb():
        return True
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda.is_initialized())


def _native_threads() -> int:
    """All threads of this process: the pools of OpenMP and BLAS hang in a fork."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()


def _real_wandb() -> bool:
    """True if W&B's own package is loaded: a fork could not have ours."""
    wandb = sys.modules.get("wandb")
    return wandb is not None and not str(getattr(wandb, "__file__", "")).startswith(str(ON_PATH))


class FunctionStarter:
    """Starts calls of one function, each in its place."""

    function = True

    def __init__(self, function: Callable[[], Any], own: Mapping[str, str], isolation: Isolation) -> None:
        self._function = function
        self._own = own
        self._isolation = isolation
        self._folder = Path.cwd()
        # Asked before the agent has threads of its own.
        self._payload = write_payload(function) if isolation != "thread" and must_spawn() else None
        self._warm: WarmProcess | None = None

    def check(self, sweep: Mapping[str, Any]) -> Ending | None:
        """A function is always here."""
        return None

    def describe(self, name: str, params: Mapping[str, Any]) -> str | None:
        """Nothing that a shell could start."""
        return None

    def start(self, run: RunFacts, log: Path, guard: Guard, on_trouble: Callable[[str], None]) -> Child:
        """Starts a call; raises CannotStart."""
        environ = child_environment(self._own, run, None)
        around = Surroundings(environ, self._folder, log, guard, on_trouble)
        try:
            if self._isolation == "thread":
                return ThreadCall(self._function, environ, log, on_trouble)
            if self._isolation == "pool":
                return self._pooled(around, run.writer)
            return self._process(around)
        except OSError as error:
            raise CannotStart(f"no process can be started for the function: {error.strerror}") from None

    def advice(self, words: Sequence[str]) -> str:
        """Nothing: the function has this Python's modules."""
        return ""

    def close(self) -> None:
        """Ends the warm process and takes the payload away."""
        if self._warm is not None:
            self._warm.close()
        if self._payload is not None:
            self._payload.unlink(missing_ok=True)

    def _process(self, around: Surroundings) -> Process:
        if self._payload is None:
            return start_fork(lambda: call_in_fork(self._function), around)
        return self._spawn(around, ())

    def _pooled(self, around: Surroundings, writer: str | None) -> PooledCall:
        if self._warm is None or self._warm.gone:
            ours, theirs = socket.socketpair()
            with theirs:
                if self._payload is None:
                    process = start_fork(lambda: _serve(self._function, ours, theirs), around)
                else:
                    process = self._spawn(around, (theirs.fileno(),))
            self._warm = WarmProcess(process, ours)
            return self._warm.call(around, writer=writer)
        return self._warm.call(around, log=around.log, writer=writer)

    def _spawn(self, around: Surroundings, more_fds: tuple[int, ...]) -> Process:
        around.guard.ensure()
        fds = (around.guard.fd, *more_fds)
        return start_python([sys.executable, str(_CHILD), str(self._payload), *map(str, fds)], around, fds)


def _serve(function: Callable[[], Any], ours: socket.socket, theirs: socket.socket) -> int:
    ours.close()
    return serve_in_fork(function, theirs)


def write_payload(function: Callable[[], Any]) -> Path:
    """The function and where it finds its modules, in a file for fresh processes; raises UsageError."""
    import cloudpickle

    try:
        pickled = cloudpickle.dumps(function)
    except Exception as error:
        raise UsageError(
            f"the function cannot be passed to another process ({type(error).__name__}: {error}): make what it uses "
            "inside the function, or give isolation='thread'"
        ) from None
    path = [os.path.abspath(folder) for folder in sys.path]
    descriptor, name = tempfile.mkstemp(prefix="besom-function-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(json.dumps({"path": path, "argv": sys.argv}).encode() + b"\n" + pickled)
    return Path(name)
