"""What `/proc` tells of processes: who started whom, their CPU and memory."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def parents() -> dict[int, int]:
    """Every process and who started it."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        # Those that have just ended are left out.
        with contextlib.suppress(OSError):
            found[int(process.name)] = int((process / "stat").read_bytes().rpartition(b")")[2].split()[1])
    return found


def below(pid: int) -> list[int]:
    """All descendants of a process."""
    children: dict[int, list[int]] = {}
    for child, parent in parents().items():
        children.setdefault(parent, []).append(child)
    found, waiting = [], [pid]
    while waiting:
        young = children.get(waiting.pop(), [])
        found += young
        waiting += young
    return found


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used, threads that have ended included; in steps of a tick (10 ms)."""
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fine_cpu_s(pid: int) -> float:
    """CPU seconds of the threads that a process has now, to the nanosecond: for one that hardly does anything."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def memory_mib(pid: int, name: str = "VmRSS") -> float:
    """A line of the process's status: ``VmRSS`` now, ``VmHWM`` the most until now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    return 0.0
