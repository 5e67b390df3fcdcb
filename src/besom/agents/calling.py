"""Calls a user's function as a run: in a fresh process, in a warm one, or in a thread."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from besom.agents.environment import ON_PATH
from besom.client import current
from besom.client.exits import code_and_error


def call(function: Callable[[], Any]) -> int:
    """Calls the function and ends the run that it began; prints what it raised. Returns the exit code."""
    outer = current.run
    current.set_run(None)
    try:
        function()
    except BaseException as error:
        code, line = code_and_error(type(error), error)
        _print(error)
    else:
        code, line = 0, None
    try:
        current.end(code, line)
    finally:
        current.set_run(outer)
    _flush()
    return code


def call_in_process(function: Callable[[], Any]) -> int:
    """As `call`, as the only work of a process: waits for the threads that the function left, as Python would."""
    prefer_our_wandb()
    code = call(function)
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    _flush()
    return code


def call_in_fork(function: Callable[[], Any]) -> int:
    """As `call_in_process`, in a fork whose parent may have other ideas of where output goes (notebook, test)."""
    _own_streams()
    return call_in_process(function)


def serve(function: Callable[[], Any], orders: socket.socket) -> int:
    """Calls the function for each line of ``orders`` and answers ``{"code": …, "closed": …}``; 0 at the end.

    A line is ``{"set": …, "unset": […], "writer": …}``: how the call's environment differs from the last call's, at
    first from none, and whose spool lies ready for it. ``closed`` is the spool of the run that ended last.
    """
    prefer_our_wandb()
    environ: dict[str, str] = {}
    with orders, orders.makefile("rw", encoding="utf-8") as lines:
        for line in lines:
            order = json.loads(line)
            environ.update(order["set"])
            for name in order["unset"]:
                del environ[name]
            replace_environ(environ)
            current.begin_call(order["writer"])
            code = call(function)
            lines.write(json.dumps({"code": code, "closed": current.closed}) + "\n")
            lines.flush()
    return 0


def serve_in_fork(function: Callable[[], Any], orders: socket.socket) -> int:
    """As `serve`, in a fork."""
    _own_streams()
    return serve(function, orders)


def replace_environ(new: Mapping[str, str]) -> None:
    """Makes ``new`` this process's environment, touching only what differs."""
    old = dict(os.environ)
    for name in old.keys() - new.keys():
        del os.environ[name]
    for name, value in new.items():
        if old.get(name) != value:
            os.environ[name] = value


def prefer_our_wandb() -> None:
    """A function that imports ``wandb`` gets Besom's module, as a program does."""
    if str(ON_PATH) not in sys.path:
        sys.path.insert(0, str(ON_PATH))


def _own_streams() -> None:
    for name, fd in (("stdout", 1), ("stderr", 2)):
        stream = open(fd, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)


def _print(error: BaseException) -> None:
    if isinstance(error, SystemExit):
        if error.code is not None and not isinstance(error.code, int):
            sys.stderr.write(f"{error.code}\n")
        return
    # The user's frames only: the call itself is ours.
    trace = error.__traceback__.tb_next if error.__traceback__ else None
    sys.stderr.write("".join(traceback.format_exception(type(error), error, trace)))


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.flush()
