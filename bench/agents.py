"""What an agent costs: a process run, a function run, and doing nothing.

``python bench/agents.py [--runs N] [--idle SECONDS] [--out FOLDER]``

Process runs are set beside a bare `subprocess.Popen` of the same command, in turns; `overhead` sets other tools beside
function runs.
The server, its folders and all processes belong to the measurement and are gone afterwards.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from besom.client.connection import Connection
from besom.common.discovery import read_discovery, read_token

TRIVIAL = [sys.executable, "-S", "-c", "pass"]
SCRIPT = "import besom\nwith besom.init() as run:\n    besom.log({'loss': run.config['x']})\n"
FUNCTION = """
import besom, os, sys, time

def train():
    with besom.init() as run:
        besom.log({"loss": run.config["x"]})

open(sys.argv[1] + ".ready", "w").close()
while not os.path.exists("go"):
    time.sleep(0.002)
begun = time.time()
besom.agent(sys.argv[2], function=train, count=int(sys.argv[3]), isolation=sys.argv[4])
print(begun, time.time(), file=open(sys.argv[1] + ".times", "w"))
"""


class Bench:
    """A server of its own in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Bytecode is written as for any user: else each run would compile what it imports.
        others = ("BESOM_", "WANDB_", "PYTHONDONTWRITEBYTECODE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        self.environ = {**kept, "BESOM_DIR": str(folder / "besom")}
        self.besom("server", "start")
        found = read_discovery(folder / "besom" / "data")
        assert found is not None, "the server does not run"
        self.server = Connection(found.url, read_token(folder / "besom" / "data"))
        self.server_pid = found.pid

    def besom(self, *args: str) -> None:
        """Runs a command to its end."""
        subprocess.run(
            [sys.executable, "-m", "besom", *args], env=self.environ, cwd=self.folder, check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def sweep(self, **config: Any) -> str:
        """A random sweep over one number; its id."""
        parameters = {"x": {"min": 0.0, "max": 1.0}}
        body = {
            "request_id": os.urandom(8).hex(),
            "config": {"method": "random", "project": "bench", "parameters": parameters, **config},
        }
        return str(self.server.call("POST", "/api/v1/sweeps", body)["id"])

    def place(self, **files: str) -> Path:
        """A fresh working folder with Python files."""
        place = Path(tempfile.mkdtemp(dir=self.folder))
        for name, text in files.items():
            (place / f"{name}.py").write_text(text, encoding="utf-8")
        return place


@contextlib.contextmanager
def bench() -> Iterator[Bench]:
    """A server for some measurements."""
    with tempfile.TemporaryDirectory(prefix="besom-bench-") as folder:
        found = Bench(Path(folder))
        try:
            yield found
        finally:
            found.server.close()
            found.besom("server", "stop")


class Cost(NamedTuple):
    """Milliseconds a run: on the wall, of CPU in the processes that were started, of CPU in the server."""

    wall: float
    cpu: float
    server: float = 0.0


def process_runs(around: Bench, runs: int, command: Sequence[str]) -> Cost:
    """One agent's runs, its own start and end included."""
    sweep = around.sweep(command=list(command))
    cpu, server = _children_cpu_s(), _cpu_s(around.server_pid)
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "besom", "agent", sweep, "--count", str(runs)], env=around.environ,
        cwd=around.place(train=SCRIPT), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    spent = (time.perf_counter() - begun, _children_cpu_s() - cpu, _cpu_s(around.server_pid) - server)
    return Cost(*(seconds / runs * 1000 for seconds in spent))


def spawn_floor(runs: int, command: Sequence[str]) -> Cost:
    """A bare start and wait."""
    begun, cpu = time.perf_counter(), _children_cpu_s()
    for _ in range(runs):
        subprocess.Popen(command, stdin=subprocess.DEVNULL).wait()
    return Cost((time.perf_counter() - begun) / runs * 1000, (_children_cpu_s() - cpu) / runs * 1000)


def measure_process_runs(around: Bench, *, runs: int = 200, rounds: int = 3) -> dict[str, Any]:
    """One agent's trivial process runs beside the bare processes, in turns; medians of the rounds."""
    floors, agents, scripts = [], [], []
    for _ in range(rounds):
        floors.append(spawn_floor(runs, TRIVIAL))
        agents.append(process_runs(around, runs, TRIVIAL))
        scripts.append(process_runs(around, runs, [sys.executable, "train.py"]))
    floor, agent, script = (
        Cost(*map(statistics.median, zip(*costs, strict=True))) for costs in (floors, agents, scripts)
    )
    return {
        "runs": runs, "spawn_ms": floor.wall, "run_ms": agent.wall, "over_spawn_ms": agent.wall - floor.wall,
        "spawn_cpu_ms": floor.cpu, "run_cpu_ms": agent.cpu, "server_cpu_ms": agent.server,
        "script_run_ms": script.wall, "script_run_cpu_ms": script.cpu,
    }  # fmt: skip


def measure_function_runs(around: Bench, *, runs: int = 200, workers: int = 1) -> dict[str, Any]:
    """Trivial calls by so many processes at once on one sweep; milliseconds a run."""
    found: dict[str, Any] = {"runs": runs, "workers": workers}
    for isolation in ("pool", "process"):
        sweep = around.sweep()
        place = around.place(worker=FUNCTION)
        each = [[sys.executable, "worker.py", str(n), sweep, str(runs // workers), isolation] for n in range(workers)]
        found[f"{isolation}_ms"] = _together(each, place, around.environ) / runs * 1000
    return found


def _together(commands: Sequence[Sequence[str]], place: Path, environ: dict[str, str]) -> float:
    """Seconds from the common start, when all have imported what they need, to the last end."""
    with (place / "output.txt").open("wb") as output:
        begun = [subprocess.Popen(c, env=environ, cwd=place, stdout=output, stderr=output) for c in commands]
        while not all((place / f"{number}.ready").exists() for number in range(len(commands))):
            assert all(process.poll() is None for process in begun), (place / "output.txt").read_text()
            time.sleep(0.01)
        (place / "go").touch()
        codes = [process.wait() for process in begun]
    assert not any(codes), (place / "output.txt").read_text()
    times = [(place / f"{number}.times").read_text().split() for number in range(len(commands))]
    return max(float(end) for _, end in times) - min(float(start) for start, _ in times)


def measure_idle(around: Bench, *, seconds: float = 60.0) -> dict[str, Any]:
    """Cores that an agent uses (with what it started) while it waits for runs, and while its child sleeps."""
    waiting = around.sweep(command=TRIVIAL)
    around.server.call("POST", f"/api/v1/sweeps/{waiting}/pause", {})
    sleeping = around.sweep(command=["sleep", "600"])
    begun = [
        subprocess.Popen(
            [sys.executable, "-m", "besom", "agent", sweep], env=around.environ, cwd=around.place(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )
        for sweep in (waiting, sleeping)
    ]  # fmt: skip
    try:
        # What starting costs is not idling.
        time.sleep(5)
        before = [_cpu_s(process.pid) for process in begun]
        time.sleep(seconds)
        used = [_cpu_s(process.pid) - earlier for process, earlier in zip(begun, before, strict=True)]
    finally:
        for process in begun:
            process.kill()
            process.wait()
    return {"seconds": seconds, "waiting_cores": used[0] / seconds, "watching_cores": used[1] / seconds}


def _children_cpu_s() -> float:
    """CPU seconds of all children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _cpu_s(pid: int) -> float:
    """CPU seconds of a process until now; finer than the ticks of `/proc/PID/stat`."""
    run_ns = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        run_ns += int(Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[0])
    return run_ns / 1e9


def main() -> None:
    """Measures everything and prints a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--idle", type=float, default=60.0, metavar="SECONDS", help="0: not measured")
    parser.add_argument("--only", choices=["process", "function", "idle"])
    parser.add_argument("--out", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    found: dict[str, Any] = {}
    with bench() as around:
        if given.only in (None, "process"):
            found["process runs"] = measure_process_runs(around, runs=given.runs, rounds=given.rounds)
        if given.only in (None, "function"):
            for workers in (1, 4):
                found[f"function runs, {workers} at once"] = measure_function_runs(
                    around, runs=given.runs, workers=workers
                )
        if given.idle and given.only in (None, "idle"):
            found["idle"] = measure_idle(around, seconds=given.idle)
    print("| measure | figure | |\n| --- | --- | --- |")
    for name, figures in found.items():
        for figure, value in figures.items():
            print(f"| {name} | {figure} | {value:.4g} |")
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "agents.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
