"""What the machine is and how busy it is: without that a figure says nothing. No name, address or path of it."""

from __future__ import annotations

import os
import platform
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any


def facts() -> dict[str, Any]:
    """Cores, processor, memory in GiB, system, Python, load over a minute, time."""
    return {
        "cores": len(cores()),
        "processor": _line("/proc/cpuinfo", "model name") or platform.machine(),
        "memory_gib": _memory_gib(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
        "when": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def cores() -> list[int]:
    """The cores that this process may use."""
    if sys.platform == "linux":
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def pin(count: int) -> None:
    """Keeps this process and all that it starts on the first ``count`` cores, where the system can do that."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, cores()[:count])


def _memory_gib() -> int:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (ValueError, OSError):
        return 0


def _line(file: str, name: str) -> str:
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
