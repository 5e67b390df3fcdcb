"""What tests of several folders share: a user's machine with a server of its own, and scripts to train there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from besom.client.connection import Connection
from besom.common.discovery import read_discovery, read_token


def wait_until(condition: Callable[[], Any], timeout_s: float = 60.0) -> Any:
    """Waits for a condition to be true, looking often; returns what it returned, fails when it stays false."""
    end = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.02)
    return found


class Background:
    """A command that runs while the test goes on; what it prints is in ``text()``."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log

    def text(self) -> str:
        """Everything printed until now, both streams."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, words: str) -> None:
        """Waits until the words were printed."""
        wait_until(lambda: words in self.text() or self.process.poll() is not None)
        assert words in self.text(), self.text()

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the command itself."""
        self.process.send_signal(number)

    def end(self, code: int | None = None) -> str:
        """Waits for the end, checks the exit code, returns what was printed."""
        found = self.process.wait(timeout=60)
        assert code is None or found == code, f"exit code {found}\n{self.text()}"
        return self.text()


class Workshop:
    """A user's machine: own folders, own server, started and ended by the commands themselves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("BESOM_", "WANDB_"))}
        scripts = str(Path(sys.executable).parent)
        self.environ = {**kept, "BESOM_DIR": str(folder / "besom"), "PATH": scripts + os.pathsep + kept["PATH"]}
        # Orders reach an agent with its heartbeats: often, so that no test waits for them.
        self.environ["BESOM_AGENT_HEARTBEAT"] = "0.2"
        self._begun: list[Background] = []
        self._places = 0
        self._connection: Connection | None = None

    @property
    def data(self) -> Path:
        """The server's data folder."""
        return self.folder / "besom" / "data"

    @property
    def run_folders(self) -> list[Path]:
        """The run folders that there are now."""
        runs = self.folder / "besom" / "state" / "runs"
        return sorted(runs.iterdir()) if runs.is_dir() else []

    @property
    def server(self) -> Connection:
        """A connection to the server that runs now, with the admin token."""
        found = read_discovery(self.data)
        assert found is not None, "no server runs"
        if self._connection is None or self._connection.url != found.url:
            self._hang_up()
            self._connection = Connection(found.url, read_token(self.data))
        return self._connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def place(self, **files: str) -> Path:
        """A fresh working folder with files: ``train="…"`` becomes `train.py`."""
        self._places += 1
        place = self.folder / f"place{self._places}"
        place.mkdir()
        for name, text in files.items():
            (place / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
        return place

    def command(
        self, *args: str, place: Path, timeout_s: float = 60, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs any Python program with the machine's environment."""
        return subprocess.run(
            [sys.executable, *args], env={**self.environ, **environ}, cwd=place, stdin=subprocess.DEVNULL,
            capture_output=True, encoding="utf-8", errors="replace", timeout=timeout_s, check=False,
        )  # fmt: skip

    def besom(
        self, *args: str, code: int = 0, place: Path | None = None, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command of Besom and checks its exit code."""
        done = self.command("-m", "besom", *args, place=place or self.folder, **environ)
        assert done.returncode == code, f"besom {' '.join(args)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def begin(self, *args: str, place: Path, module: bool = True, **environ: str) -> Background:
        """Starts a command of Besom (or a Python program) in the background."""
        log = place / f"output{len(self._begun)}.txt"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, *(("-m", "besom") if module else ()), *args], env={**self.environ, **environ},
                cwd=place, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._begun.append(Background(process, log))
        return self._begun[-1]

    def sweep(self, parameters: dict[str, Any] | None = None, **config: Any) -> str:
        """Creates a sweep (a grid over ``x``: 1, 2, 3 unless told otherwise) and returns its id."""
        config = {
            "method": "grid", "program": "train.py", "project": "tests",
            "parameters": parameters or {"x": {"values": [1, 2, 3]}}, **config,
        }  # fmt: skip
        body = {"request_id": os.urandom(8).hex(), "config": config}
        return str(self.server.call("POST", "/api/v1/sweeps", body)["id"])

    def state(self, sweep: str) -> dict[str, Any]:
        """The sweep as the server shows it."""
        found: dict[str, Any] = self.server.call("GET", f"/api/v1/sweeps/{sweep}")
        return found

    def runs(self, sweep: str) -> list[dict[str, Any]]:
        """The sweep's runs in the order in which they were made, with their attempts."""
        server = self.server
        page = server.call("GET", f"/api/v1/sweeps/{sweep}/runs", query={"order": "idx"})
        return [server.call("GET", f"/api/v1/runs/{run['uid']}") for run in page["runs"]]

    def history(self, run: dict[str, Any]) -> list[dict[str, Any]]:
        """The run's merged rows."""
        rows: list[dict[str, Any]] = self.server.call("GET", f"/api/v1/runs/{run['uid']}/history")["rows"]
        return rows

    def console(self, run: dict[str, Any]) -> bytes:
        """What the run's last attempt printed."""
        return self.server.raw("GET", f"/api/v1/runs/{run['uid']}/console")[0]

    def close(self) -> None:
        """Ends everything that was begun, and the server."""
        for begun in self._begun:
            if begun.process.poll() is None:
                begun.process.kill()
            begun.process.wait()
        self._hang_up()
        if self.data.is_dir():
            self.besom("server", "stop")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """A machine whose server runs, for the tests of one module."""
    found = Workshop(tmp_path_factory.mktemp("workshop"))
    found.besom("server", "start")
    yield found
    found.close()


@pytest.fixture(name="wait_until")
def wait_until_fixture() -> Callable[..., Any]:
    """`wait_until` for tests."""
    return wait_until
