"""How the process ends: the exit code and the exception's last line, caught where Python lets one see them."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn

_installed = False
_exit_code = 0
_error: str | None = None
INTERRUPTED = 130


def code_and_error(kind: type[BaseException] | None, value: BaseException | None) -> tuple[int, str | None]:
    """The exit code that an exception stands for, and its last line; (0, None) without one."""
    if kind is None:
        return 0, None
    if issubclass(kind, SystemExit):
        return _code_of(getattr(value, "code", None))
    import traceback

    lines = "".join(traceback.format_exception_only(kind, value)).strip().splitlines()
    return (INTERRUPTED if issubclass(kind, KeyboardInterrupt) else 1), (lines[-1] if lines else kind.__name__)


def install(end: Callable[[int, str | None], None]) -> None:
    """Has ``end(exit_code, error)`` called when this process ends, once a process."""
    global _installed
    if _installed:
        return
    _installed = True
    _watch_exceptions()
    _watch_exit()
    owner = os.getpid()

    def at_exit() -> None:
        if os.getpid() == owner:
            end(_exit_code, _error)

    atexit.register(at_exit)


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
    return 1, str(status).strip().splitlines()[-1] if str(status).strip() else None
