"""The right to serve a data folder: one process of one host at a time.

On one machine the kernel's lock decides, which ends with its process. Other machines may see the same folder on a
network where such locks need not reach, so the file also says who holds it, and its age how long ago he lived.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from besom.common.discovery import host_name, process_started, read_discovery
from besom.common.places import make_private
from besom.errors import DataFolderError, Refused

FILE = "server.lock"
BEAT_EVERY_S = 15.0
SILENT_AFTER_S = 90.0
# The exit code of a background server that finds the folder taken: its starter waits for the one that has it.
# 3 is uvicorn's own for a start that failed.
TAKEN_EXIT = 75
_NO_LOCKS_HERE = frozenset([errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])


class Served(Refused):
    """Another process of this machine serves the folder."""


class ServedElsewhere(Refused):
    """A process of another host serves the folder."""


class TakenOver(Refused):
    """Another process has taken the folder from its holder."""


class FolderLock:
    """A held lock; `beat` now and then, `release` at the end."""

    def __init__(self, descriptor: int, path: Path, facts: bytes) -> None:
        self._descriptor = descriptor
        self._path = path
        self._facts = facts

    def beat(self) -> None:
        """Says that the holder lives; raises TakenOver when somebody else holds the folder by now.

        That happens to a holder that was silent for too long, on a file system where locks do not reach.
        """
        try:
            found = self._path.read_bytes()
        except FileNotFoundError:
            self._make_again()
            return
        if found != self._facts:
            raise TakenOver(f"another server has taken the data folder ({found.decode(errors='replace')[:200]})")
        os.utime(self._path)

    def _make_again(self) -> None:
        """The file was removed, and a lock on a removed file keeps nobody out."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            raise TakenOver("another server has taken the data folder") from None
        if not _try_lock(descriptor):
            os.close(descriptor)
            raise TakenOver("another server has taken the data folder")
        os.pwrite(descriptor, self._facts, 0)
        os.close(self._descriptor)
        self._descriptor = descriptor

    def release(self) -> None:
        """Lets the next one in."""
        with contextlib.suppress(OSError):
            if self._path.read_bytes() == self._facts:
                os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def take(
    data: Path, *, wishes: Mapping[str, Any] | None = None, wait_s: float = 0.0,
    give_up: Callable[[], bool] = lambda: False,
) -> FolderLock:  # fmt: skip
    """Takes the folder, waiting for a holder on this machine that is ending.

    ``wishes`` are kept for others to read (`holder_wishes`). Raises Served after ``wait_s`` seconds, or as soon as
    ``give_up()`` is true; ServedElsewhere for another host.
    """
    path = data / FILE
    try:
        make_private(data)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unusable(data, error) from None
    try:
        refuse_elsewhere(data)
        _lock(descriptor, data, time.monotonic() + wait_s, give_up)
        refuse_elsewhere(data)
        facts = json.dumps({
            "host": host_name(), "pid": os.getpid(), "started": process_started(os.getpid()),
            "wishes": dict(wishes or {}),
        }).encode()  # fmt: skip
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, facts, 0)
    except OSError as error:
        os.close(descriptor)
        raise unusable(data, error) from None
    except BaseException:
        os.close(descriptor)
        raise
    return FolderLock(descriptor, path, facts)


def unusable(data: Path, error: OSError) -> DataFolderError:
    """The sentence for a data folder that cannot be made or written."""
    is_file = isinstance(error, (FileExistsError, NotADirectoryError))
    why = "a file is in its place" if is_file else error.strerror or error
    return DataFolderError(f"the data folder {data} cannot be used: {why}; name another one with --data")


def _lock(descriptor: int, data: Path, until: float, give_up: Callable[[], bool]) -> None:
    try:
        while not _try_lock(descriptor):
            if give_up() or time.monotonic() > until:
                raise Served(_taken_sentence(data))
            time.sleep(0.05)
    except OSError as error:
        raise DataFolderError(f"the data folder {data} cannot be locked: {error.strerror}") from None


def _try_lock(descriptor: int) -> bool:
    """True with the lock, or on a file system that has none: there the file's words and its age decide."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS_HERE:
            raise
    return True


def holder_wishes(data: Path) -> dict[str, Any]:
    """What the holder of the folder was asked to offer; nothing without a holder."""
    try:
        return dict(json.loads((data / FILE).read_text(encoding="utf-8"))["wishes"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _taken_sentence(data: Path) -> str:
    found = read_discovery(data)
    place = f", at {found.url}" if found is not None else ""
    return f"a server runs already for {data}{place}: end it first with `besom server stop`"


def elsewhere(data: Path) -> str | None:
    """The name of another host whose server has held the folder within the last minute and a half; else None."""
    path = data / FILE
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))["host"]
        if holder == host_name():
            return None
        # Both times come from the file system, so that the clocks of two hosts need not agree.
        probe = data / f".{FILE}.{os.getpid()}"
        probe.touch()
        age_s = probe.stat().st_mtime - path.stat().st_mtime
        probe.unlink()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(holder) if age_s < SILENT_AFTER_S else None


def refuse_elsewhere(data: Path) -> None:
    """Raises ServedElsewhere, with what to do, while a server of another host holds the folder."""
    if (host := elsewhere(data)) is not None:
        raise ServedElsewhere(_elsewhere_sentence(data, host))


def _elsewhere_sentence(data: Path, host: str) -> str:
    found = read_discovery(data)
    url = found.url if found is not None and found.host == host else ""
    if not url or any(f"//{name}" in url for name in ("127.", "localhost", "[::1]")):
        return (
            f"the server runs on {host}, bound to loopback: start it there with `besom server start --host {host}` "
            f"and run `besom login --host http://{host}:PORT` here"
        )
    return f"the server runs on {host}: run `besom login --host {url}` here"
