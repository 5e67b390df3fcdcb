"""A PostgreSQL of one test's own that keeps its word (fsync on), and that can be killed and started again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path


def binaries() -> Path | None:
    """Where PostgreSQL's programs are; None where it is not installed."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if installed:
        return installed[-1].parent
    found = shutil.which("initdb")
    return None if found is None else Path(found).parent


class Cluster:
    """Listens on a socket in a folder of its own, and nowhere else."""

    def __init__(self) -> None:
        found = binaries()
        assert found is not None, "PostgreSQL is not installed: apt-get install postgresql"
        self.binaries = found
        self.folder = Path(tempfile.mkdtemp(prefix="besom-monkey-pg-"))
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._run(f"initdb -D {self.folder}/data -U postgres -A trust -E UTF8 --no-locale --no-sync")
        self.start()
        self._run(f"createdb -h {self.folder} -U postgres besom")

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/besom?host={self.folder}"

    def _run(self, command: str) -> None:
        shell = ["su", "postgres", "-s", "/bin/sh", "-c"] if os.getuid() == 0 else ["/bin/sh", "-c"]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        done = subprocess.run([*shell, f"{self.binaries}/{command}"], check=False, timeout=60, cwd="/", **quiet)
        assert done.returncode == 0, done.stderr.decode(errors="replace")

    def start(self) -> None:
        settings = f"-k {self.folder} -c listen_addresses= -c fsync=on -c synchronous_commit=on"
        self._run(f"pg_ctl -D {self.folder}/data -w -l {self.folder}/log -o '{settings}' start")

    def kill(self) -> None:
        """SIGKILL to every process of it, at once."""
        leader = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        pids = [leader, *children(leader)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        end = time.monotonic() + 10
        while any(Path(f"/proc/{pid}").exists() for pid in pids):
            assert time.monotonic() < end, "PostgreSQL did not die"
            time.sleep(0.01)

    def close(self) -> None:
        with contextlib.suppress(AssertionError):
            self._run(f"pg_ctl -D {self.folder}/data -m immediate -w stop")
        shutil.rmtree(self.folder, ignore_errors=True)


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [child for child, parent in parents().items() if parent == pid]


def parents() -> dict[int, int]:
    """Every process and who started it."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found[int(process.name)] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
    return found
