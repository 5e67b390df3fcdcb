"""Starting, finding and ending a server from outside: what `besom server start`, `stop` and `status` do."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from besom.common.discovery import Discovery, is_alive, process_started, read_discovery
from besom.common.file_system import network_kind
from besom.common.places import make_private
from besom.common.version import VERSION, go_together, numbers
from besom.errors import DataFolderError, IncompatibleVersion, Refused, UsageError
from besom.server.file_system import network_remark
from besom.server.lock import TAKEN_EXIT, holder_wishes, refuse_elsewhere, unusable
from besom.server.settings import Settings
from besom.store.copies import copies_beside

START_S = 60.0
STOP_S = 30.0
_LOOK_EVERY_S = 0.03
# The reason is at the end of what a server says that could not start.
_SAID_BYTES = 64 * 1024


def refuse_windows(platform: str = sys.platform) -> None:
    """Raises UsageError on Windows."""
    if platform == "win32":
        raise UsageError("Besom runs on Linux and macOS: on Windows, install it inside WSL")


def running(data: Path) -> Discovery | None:
    """The live server of the folder on this machine; None without one (a stale file is none)."""
    found = read_discovery(data)
    return found if found is not None and is_alive(found) else None


def start(settings: Settings, say: Callable[[str], None]) -> Discovery:
    """Starts a background server, or finds the one that is there; returns once it listens.

    A background server of an older version is restarted. Raises Refused where a running server is not what was
    asked for, DataFolderError with the reason when a server could not begin.
    """
    refuse_windows()
    try:
        make_private(settings.data)
        return _found_or_spawned(settings, say)
    except OSError as error:
        raise unusable(settings.data, error) from None


def _found_or_spawned(settings: Settings, say: Callable[[str], None]) -> Discovery:
    found = running(settings.data)
    if found is not None:
        if not _is_to_restart(found):
            return _fitting(found, settings)
        settings = settings.like(holder_wishes(settings.data))
        say(f"restarting the server: it is Besom {found.version} and this is {VERSION}")
        stop(settings.data)
    refuse_elsewhere(settings.data)
    kind = network_kind(settings.db_file.parent) if settings.db_file is not None else None
    if kind is not None:
        say(network_remark(kind))
    return _spawn(replace(settings, background=True))


def _is_to_restart(found: Discovery) -> bool:
    if found.background and numbers(found.version) < numbers(VERSION):
        return True
    if not go_together(found.version, VERSION):
        raise IncompatibleVersion(
            f"the server at {found.url} is Besom {found.version} and this is {VERSION}: "
            "install the same version on both sides, or end it with `besom server stop`"
        )
    return False


def _fitting(found: Discovery, settings: Settings) -> Discovery:
    port = found.url.rpartition(":")[2]
    offered = holder_wishes(settings.data)
    other_port = settings.port not in (None, 0) and port != str(settings.port)
    wishes = {name: value for name, value in settings.wishes.items() if name != "port"}
    if other_port or any(offered.get(name) != value for name, value in wishes.items()):
        raise Refused(
            f"a server runs already, at {found.url}, with other options: end it first with `besom server stop`"
        )
    return found


def _spawn(settings: Settings) -> Discovery:
    child = _begin(settings)
    said = b""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        # Whoever won when several were started at once is the server; the losers' children end by themselves.
        if (found := running(settings.data)) is not None:
            return found
        code = child.poll()
        said = (said + _heard(child))[-_SAID_BYTES:]
        if code == TAKEN_EXIT:
            # He who has the folder may fail yet.
            child, said = _begin(settings), b""
        elif code is not None:
            lines = said.decode("utf-8", "replace").strip().splitlines()
            raise DataFolderError(lines[-1] if lines else _silent_end(settings, code))
        time.sleep(_LOOK_EVERY_S)
    raise DataFolderError(f"the server does not listen after {START_S:.0f} s; its log is {settings.log_file}")


def _begin(settings: Settings) -> subprocess.Popen[bytes]:
    # A pipe, since a disk that is full would keep the reason to itself; the server leaves it when it listens.
    child = subprocess.Popen(
        [sys.executable, "-m", "besom.server", str(settings.data)],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/", start_new_session=True,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stderr is not None
    os.set_blocking(child.stderr.fileno(), False)
    with contextlib.suppress(BrokenPipeError), child.stdin:
        child.stdin.write(settings.to_json().encode())
    return child


def _heard(child: subprocess.Popen[bytes]) -> bytes:
    assert child.stderr is not None
    return child.stderr.read() or b""


def _silent_end(settings: Settings, code: int) -> str:
    how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    copies = [] if settings.db_file is None else copies_beside(settings.db_file)
    kept = f"; a copy of the database from before its last migration is {copies[-1]}" if copies else ""
    return f"the server {how} before it listened; its log is {settings.log_file}{kept}"


def stop(data: Path) -> Discovery | None:
    """Ends the folder's server on this machine and waits until it is gone; None if none was running.

    Raises Refused for a server on another host, or one that does not end.
    """
    refuse_windows()
    found = running(data)
    if found is None:
        refuse_elsewhere(data)
        return None
    os.kill(found.pid, signal.SIGTERM)
    until = time.monotonic() + STOP_S
    while process_started(found.pid) == found.pid_started:
        if time.monotonic() > until:
            raise Refused(
                f"the server (process {found.pid}) has not ended within {STOP_S:.0f} s; see its log in {data}"
            )
        time.sleep(_LOOK_EVERY_S)
    return found
