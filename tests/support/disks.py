"""A small disk of a test's own, that can be full for a while."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path


class Disk:
    """A folder with a file system of ``megabytes`` of its own.

    Only root may have one. For others it is a plain folder, and a full disk is one on which certain processes may write
    no more.
    """

    def __init__(self, folder: Path, megabytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "besom-test", str(folder)]
        self.is_own = os.getuid() == 0 and subprocess.run(command, check=False, capture_output=True).returncode == 0

    @contextlib.contextmanager
    def full(self, writers: Sequence[int] = ()) -> Iterator[None]:
        """Not a byte is free inside; without a file system of its own: not for the processes ``writers``."""
        if not self.is_own:
            with _limited(writers):
                yield
            return
        ballast = self.folder / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                for size in (1 << 20, 4096, 1):
                    with contextlib.suppress(_Full):
                        while True:
                            _write(file.fileno(), size)
                yield
            finally:
                ballast.unlink()

    def __enter__(self) -> Disk:
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_own:
            subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)


@contextlib.contextmanager
def _limited(pids: Sequence[int]) -> Iterator[None]:
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids}
    try:
        for pid, (_, hard) in before.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
        yield
    finally:
        for pid, limits in before.items():
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


class _Full(Exception):
    pass


def _write(fd: int, size: int) -> None:
    try:
        if os.write(fd, bytes(size)) < size:
            raise _Full
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _Full from None
        raise
