"""How the process ends: the exit code and the exception in one line, caught where Python lets one see them."""

from __future__ import annotations

import atexit
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, NoReturn

_installed: int | None = None
_exit_code = 0
_error: str | None = None
INTERRUPTED = 130


def code_and_error(kind: type[BaseException] | None, value: BaseException | None) -> tuple[int, str | None]:
    """The exit code that an exception stands for, and what it says in one line; (0, None) without one."""
    if kind is None:
        return 0, None
    if issubclass(kind, SystemExit):
        return _code_of(getattr(value, "code", None))
    return (INTERRUPTED if issubclass(kind, KeyboardInterrupt) else 1), _one_line(kind, value)


def _one_line(kind: type[BaseException], value: BaseException | None) -> str:
    """As a traceback names it, with the first line of its message.

    Not by the module of that name: what it imports makes Python forget that Ctrl-C is on its way to end the process.
    """
    name = (
        kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    )
    try:
        text = str(value).strip()
    except Exception:
        text = "<its text cannot be shown>"
    return (f"{name}: {text}" if text else name).splitlines()[0]


def install(end: Callable[[int, str | None], None]) -> None:
    """Has ``end(exit_code, error)`` called when this process ends, once a process."""
    global _installed
    owner = os.getpid()
    if _installed == owner:
        return
    if _installed is None:
        _watch_exceptions()
        _watch_exit()
    else:
        # A forked child inherits what is watched, and how its parent was about to end.
        _remember(0, None)
    _installed = owner

    def at_exit() -> None:
        if os.getpid() == owner:
            end(_exit_code, _error)

    atexit.register(at_exit)
    _watch_worker(end)


def _watch_worker(end: Callable[[int, str | None], None]) -> None:
    """In a process of `multiprocessing`, which leaves out what is registered for the exit."""
    process = sys.modules.get("multiprocessing.process")
    if process is not None and process.parent_process() is not None:
        from multiprocessing.util import Finalize

        Finalize(None, lambda: end(*code_and_error(*sys.exc_info()[:2])), exitpriority=10)


def _watch_exceptions() -> None:
    before = sys.excepthook

    def excepthook(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> Any:
        _remember(*code_and_error(kind, value))
        return before(kind, value, trace)

    sys.excepthook = excepthook


def _watch_exit() -> None:
    before = sys.exit

    def exit(status: Any = None, /) -> NoReturn:
        _remember(*_code_of(status))
        before(status)

    # Python tells nobody else with which code it is going to end.
    sys.exit = exit


def _remember(code: int, error: str | None) -> None:
    global _exit_code, _error
    _exit_code, _error = code, error


def _code_of(status: Any) -> tuple[int, str | None]:
    if status is None:
        return 0, None
    if isinstance(status, int):
        return int(status) & 0xFF, None
    return 1, str(status).strip().splitlines()[0] if str(status).strip() else None
