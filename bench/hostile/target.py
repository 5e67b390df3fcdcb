"""A server of its own to attack, its memory as the system sees it, and a good client that goes on meanwhile."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from common.processes import cpu_s, memory_mib

from besom.common.discovery import read_discovery, read_token

GOOD_EVERY_S = 0.01


class Target:
    """A fresh server in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._environ = {**os.environ, "BESOM_DIR": str(folder)}
        self.besom("server", "start", "--port", "0")
        found = read_discovery(folder / "data")
        assert found is not None
        self.url, self.pid = found.url, found.pid
        self.token = read_token(folder / "data") or ""
        where = urlsplit(found.url)
        self.address = (where.hostname or "", where.port or 0)

    def besom(self, *args: str, timeout_s: float = 120, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a command of Besom against the server, in a folder."""
        return subprocess.run(
            [sys.executable, "-m", "besom", *args], env=self._environ, capture_output=True, text=True,
            timeout=timeout_s, check=False, cwd=folder,
        )  # fmt: skip

    def call(self, method: str, path: str, body: Any = None, timeout_s: float = 120) -> Any:
        """A request of the API and its answer."""
        with contextlib.closing(http.client.HTTPConnection(*self.address, timeout=timeout_s)) as line:
            return _ask(line, self.token, method, path, body)

    def memory(self, name: str = "VmRSS") -> float:
        """A line of the server's status, in MiB: ``VmRSS`` now, ``VmHWM`` the most since `forget_peak`."""
        return memory_mib(self.pid, name)

    def forget_peak(self) -> None:
        """The highest memory counts from now on."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def cpu_s(self) -> float:
        """Seconds of CPU that the server has used."""
        return cpu_s(self.pid)

    def errors(self) -> list[str]:
        """The lines of the server's log that tell of a fault."""
        text = (self.folder / "data" / "server.log").read_text(errors="replace")
        return [line for line in text.splitlines() if " ERROR " in line or line.startswith("Traceback")]

    def close(self) -> None:
        """Ends the server."""
        self.besom("server", "stop")


class GoodClient:
    """A training and a looker: one appends rows and reads its sweep all the time, and notes how long that takes."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.waits_ms: list[float] = []
        self.failures: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self.uid = f"good-{time.monotonic_ns()}"
        target.call("POST", "/api/v1/runs", {"uid": self.uid, "project": "good"})

    @contextlib.contextmanager
    def at_work(self) -> Iterator[GoodClient]:
        """Asks in the background until the block ends."""
        self._thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join()

    def _work(self) -> None:
        offset, line = 0, http.client.HTTPConnection(*self._target.address, timeout=60)
        stream = f"/api/v1/runs/{self.uid}/attempts/1/streams/w0/console"
        while not self._over.is_set():
            begun = time.perf_counter()
            try:
                row = b"x" * 100
                offset = _ask(line, self._target.token, "POST", f"{stream}?offset={offset}", row)["offset"]
                _ask(line, self._target.token, "GET", f"/api/v1/runs/{self.uid}", None)
            except (OSError, http.client.HTTPException, RuntimeError) as error:
                self.failures.append(repr(error))
                line.close()
            self.waits_ms.append((time.perf_counter() - begun) * 500)
            time.sleep(GOOD_EVERY_S)
        line.close()

    def percentile(self, part: float) -> float:
        """Milliseconds a request within which ``part`` of the pairs of requests were answered."""
        waits = sorted(self.waits_ms) or [float("nan")]
        return waits[min(len(waits) - 1, int(part * len(waits)))]


def _ask(line: http.client.HTTPConnection, token: str, method: str, path: str, body: Any) -> Any:
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    line.request(method, path, data, {"Authorization": f"Bearer {token}"})
    answer = line.getresponse()
    text = answer.read()
    if answer.status >= 400:
        raise RuntimeError(f"{answer.status} {text[:300]!r}")
    return json.loads(text)
