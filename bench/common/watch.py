"""``watch.py REPORT MEMORY TIMEOUT COMMAND…``: the process that starts a command and waits for all of its descendants.

Run by `watching.py` as a file, so that its neighbour `processes` is found; its own CPU time is not in the report.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from processes import below

PR_SET_CHILD_SUBREAPER = 36
LOOK_S = 0.05
# How long helpers may live on after the command has ended, before they are killed.
LEFT_BEHIND_S = 15.0


def main() -> int:
    report, memory, timeout_s, command = sys.argv[1], sys.argv[2] == "1", float(sys.argv[3]), sys.argv[4:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda number, frame: end_all())
    peaks: dict[int, int] = {}
    begun = time.perf_counter()
    process = subprocess.Popen(command)
    if memory:
        threading.Thread(target=watch_memory, args=(peaks,), daemon=True).start()
    try:
        code = process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        code = 124
    wall_s = time.perf_counter() - begun
    wait_for_the_rest(LEFT_BEHIND_S if code != 124 else 0.0)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {
        "wall_s": wall_s,
        "cpu_s": spent.ru_utime + spent.ru_stime,
        "peak_mib": sum(peaks.values()) / 1024,
    }
    Path(report).write_text(json.dumps(found), encoding="utf-8")
    return code if code >= 0 else 128 - code


def wait_for_the_rest(patience_s: float) -> None:
    """Waits until nothing is left below; kills what stays too long."""
    end = time.monotonic() + patience_s
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            if time.monotonic() > end:
                kill_below()
            time.sleep(0.01)


def end_all() -> None:
    """The measurement is called off."""
    kill_below()
    os._exit(143)


def kill_below() -> None:
    for pid in below(os.getpid()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def watch_memory(peaks: dict[int, int]) -> None:
    """Keeps each descendant's largest resident size (KiB) as the kernel tells it."""
    while True:
        for pid in below(os.getpid()):
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            for line in status.splitlines():
                if line.startswith("VmHWM:"):
                    peaks[pid] = max(peaks.get(pid, 0), int(line.split()[1]))
        time.sleep(LOOK_S)


if __name__ == "__main__":
    raise SystemExit(main())
