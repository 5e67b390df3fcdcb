"""No training outlives its agent: a shell waits at a pipe and kills what is left when the agent dies.

The pipe's other end closes with the agent, however it dies. A parent-death signal would reach one process only and
leave the workers of `torchrun` or a data loader behind on the GPU; the shell kills whole process groups, on every
Unix, and weighs a megabyte.
"""

from __future__ import annotations

import contextlib
import os
import subprocess

_SCRIPT = """
trap '' HUP INT QUIT TERM
groups=''
while read -r word group; do
  case $word in
    hold) groups="$groups $group" ;;
    drop) kept=''; for each in $groups; do [ "$each" = "$group" ] || kept="$kept $each"; done; groups=$kept ;;
  esac
done
for each in $groups; do kill -s KILL -- "-$each"; done
"""


def hold_line(group: int) -> bytes:
    """What a process group's leader writes to the guard's pipe (one write: lines of several never mix)."""
    return b"hold %d\n" % group


class Guard:
    """The shell of one agent. ``fd`` is the pipe's writing end, open in the agent alone."""

    def __init__(self) -> None:
        self._shell: subprocess.Popen[bytes] | None = None
        self.fd = -1

    def ensure(self) -> None:
        """Starts the shell if there is none, or if somebody ended it."""
        if self._shell is not None and self._shell.poll() is None:
            return
        self._close_pipe()
        reading, self.fd = os.pipe()
        try:
            self._shell = subprocess.Popen(
                ["/bin/sh", "-c", _SCRIPT], stdin=reading, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                cwd="/", env={}, start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(reading)

    def hold(self, group: int) -> None:
        """From now on the group dies with this process."""
        self._write(hold_line(group))

    def drop(self, group: int) -> None:
        """The group is gone; its number may soon be another's."""
        self._write(b"drop %d\n" % group)

    def close(self) -> None:
        """Lets the shell go; groups still held are killed."""
        self._close_pipe()
        if self._shell is not None:
            self._shell.wait()
            self._shell = None

    def _write(self, line: bytes) -> None:
        # Without its reader the guard is of no use, and the training is still worth more than the guard.
        with contextlib.suppress(BrokenPipeError):
            os.write(self.fd, line)

    def _close_pipe(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
