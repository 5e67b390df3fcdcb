"""A real Besom server for a measurement; it ends with the measurement."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.processes import cpu_s

START_S = 60.0


def clean_environ(**more: str) -> dict[str, str]:
    """This environment without what would change a contender; nothing reports to another machine."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BESOM_", "WANDB_", "TRACKIO_", "PYTHON"))}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "HF_HUB_OFFLINE": "1", "WANDB_ERROR_REPORTING": "false", **more}


@dataclass(frozen=True)
class BesomServer:
    """A server that runs: its address, its token, its process, and the environment for programs that use it."""

    url: str
    token: str
    pid: int
    folder: Path
    environ: dict[str, str]

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The decoded answer of one request."""
        request = urllib.request.Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=60) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def sweep(self, parameters: Mapping[str, Any], **config: Any) -> str:
        """Creates a sweep (a random search unless told otherwise) and returns its id."""
        config = {"method": "random", "program": "train.py", "project": "bench", "parameters": parameters, **config}
        body = {"request_id": os.urandom(8).hex(), "config": config}
        return str(self.call("POST", "/api/v1/sweeps", body)["id"])

    def finished(self, sweep: str) -> int:
        """How many of the sweep's first thousand runs are finished."""
        runs = self.call("GET", f"/api/v1/sweeps/{sweep}/runs?limit=1000")["runs"]
        return sum(run["state"] == "finished" for run in runs)

    def check_whole(self, rows: int) -> None:
        """Raises unless the newest run is finished and its last row is here: what was measured has happened."""
        run = self.call("GET", "/api/v1/runs?limit=1000")["runs"][-1]
        last = self.call("GET", f"/api/v1/runs/{run['uid']}/history?from_step={rows - 1}")["rows"]
        if run["state"] != "finished" or [row["_step"] for row in last] != [rows - 1]:
            raise RuntimeError(f"the server has run {run['name']} as {run['state']}, with rows {last} at its end")

    def cpu_s(self) -> float:
        """CPU seconds that the server's process has used until now."""
        return cpu_s(self.pid)


@contextlib.contextmanager
def besom_server(python: Path, folder: Path, db: str | None = None) -> Iterator[BesomServer]:
    """`besom server` of the environment ``python``, with a data folder of its own below ``folder``."""
    place = folder / "besom"
    place.mkdir(parents=True)
    environ = clean_environ(BESOM_DIR=str(place), PATH=f"{python.parent}{os.pathsep}{os.environ['PATH']}")
    command = [str(python), "-m", "besom", "server", "--port", "0", *(("--db", db) if db else ())]
    log = (folder / "server.txt").open("wb")
    with log:
        process = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        url, token = _wait_for(process, place / "data", folder / "server.txt")
        yield BesomServer(url, token, process.pid, place, environ)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], data: Path, log: Path) -> tuple[str, str]:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError, ValueError, KeyError):
            url = json.loads((data / "server.json").read_text(encoding="utf-8"))["url"]
            token = (data / "token").read_text(encoding="utf-8").strip()
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return url, token
        time.sleep(0.02)
    said = "".join(file.read_text(errors="replace")[-1500:] for file in (log, data / "server.log") if file.exists())
    raise RuntimeError(f"the server did not start:\n{said}")
