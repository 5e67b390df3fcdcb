"""A sweep of 100,000 runs: what listing, showing, exporting and the page cost then, in seconds and memory.

The runs are put into a fresh database by the store's own functions; then a real server is started on it and the
real commands are run against it::

    .venv/bin/python bench/large_sweep.py [--runs 100000] [--out results/]

Each row: seconds, the largest memory that the command has had, and the largest that the server has had so far.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

from common.processes import memory_mib
from common.servers import BesomServer, besom_server
from sqlalchemy import Connection

from besom.engine.folding import Fold
from besom.operations import sweeps
from besom.store import projects, runs, summaries
from besom.store import sweeps as stored_sweeps
from besom.store.database import Database
from besom.wire.sweeps import NewSweep

SWEEP = """
method: random
program: train.py
project: bench
metric: {name: val/loss, goal: minimize}
parameters: {lr: {min: 0.0001, max: 0.1}, batch_size: {values: [16, 32, 64]}, layers: {min: 1, max: 8}}
"""
METRICS = ("train/loss", "val/loss", "val/accuracy")
A_TRANSACTION = 1000


@dataclass
class Cost:
    """One command or request: seconds, MiB at most, bytes of its answer."""

    what: str
    seconds: float
    command_mib: float
    server_mib: float
    answer_bytes: int


def fill(database: Database, count: int) -> str:
    """Makes a sweep with ``count`` finished runs and returns its id."""
    sweep = database.write_now(sweeps.create, NewSweep(request_id="bench", text=SWEEP), entity="bench", now=time.time())
    for first in range(0, count, A_TRANSACTION):
        database.write_now(_add_runs, sweep, range(first, min(first + A_TRANSACTION, count)))
    return sweep


def _add_runs(c: Connection, sweep_uid: str, numbers: range) -> None:
    sweep, now = stored_sweeps.get(c, sweep_uid), time.time()
    ids = projects.key_ids(c, sweep.project_id, list(METRICS))
    for number in numbers:
        score = (number * 7919 % 100_003) / 100_003
        run = runs.add(
            c, now=now, uid=f"bench{number:08d}", project_id=sweep.project_id, sweep_id=sweep.id, by_sweep=1,
            name=f"r{number:07d}", display_name=f"lr={score:.4f}", idx=number + 1, state="finished", attempt=1,
            params={"lr": score, "batch_size": 32, "layers": number % 8}, started=now, ended=now + 60,
            config={"lr": score, "batch_size": 32, "layers": number % 8},
        )  # fmt: skip
        runs.set_score(c, run.id, score, score)
        runs.add_attempt(c, run, host="bench", state="finished", lease_until=now, started=now, ended=now + 60)
        folds = {name: Fold(n=99, total=50.0, min=score, max=1.0, last=score, last_step=99) for name in METRICS}
        summaries.save(c, run.id, summaries.Folds(ids, folds))


class Looks:
    """The commands and pages of a server."""

    def __init__(self, server: BesomServer) -> None:
        self._server = server

    def _server_mib(self) -> float:
        return memory_mib(self._server.pid, "VmHWM")

    def command(self, *words: str) -> Cost:
        """One command of the shell; its output goes to a file."""
        with tempfile.TemporaryFile() as out:
            start = time.perf_counter()
            command = [sys.executable, "-m", "besom", *words]
            pid = subprocess.Popen(command, env=self._server.environ, stdout=out).pid
            _, status, used = os.wait4(pid, 0)
            seconds = time.perf_counter() - start
            assert status == 0, f"besom {' '.join(words)} failed"
            size = os.fstat(out.fileno()).st_size
        return Cost("besom " + " ".join(words), seconds, used.ru_maxrss / 1024, self._server_mib(), size)

    def page(self, path: str) -> Cost:
        """One page or API address."""
        headers = {"Authorization": f"Bearer {self._server.token}"}
        request = urllib.request.Request(self._server.url + path, headers=headers)
        start = time.perf_counter()
        with urllib.request.urlopen(request, timeout=120) as answer:
            size = len(answer.read())
        return Cost(f"GET {path}", time.perf_counter() - start, 0.0, self._server_mib(), size)


def measure(folder: Path, count: int) -> list[Cost]:
    """All commands on a sweep of ``count`` runs."""
    url = f"sqlite:///{folder}/besom.db"
    database = Database.open(url)
    start = time.perf_counter()
    sweep = fill(database, count)
    database.close()
    print(f"{count:,} runs made in {time.perf_counter() - start:.0f} s", file=sys.stderr)
    with besom_server(Path(sys.executable), folder, url) as server:
        at = Looks(server)
        return [
            at.command("ls"),
            at.command("show", sweep),
            at.command("best", sweep),
            at.page(f"/bench/bench/sweeps/{sweep}"),
            at.page("/bench/bench"),
            at.page(f"/api/v1/sweeps/{sweep}/runs?order=score&limit=100"),
            at.page(f"/api/v1/sweeps/{sweep}/runs?order=score&limit=100&after=score:0.5:50000"),
            at.command("export", sweep, "--format", "csv"),
            at.command("export", sweep, "--json"),
            at.command("show", sweep, "--json"),
            at.command("show", sweep, "--format", "csv"),
        ]


def main() -> None:
    """Fills, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--out", type=Path, help="a folder for the results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        costs = measure(Path(folder), options.runs)
    print("| what | seconds | command MiB | server MiB | answer bytes |\n| --- | --- | --- | --- | --- |")
    for cost in costs:
        print(f"| {cost.what} | {cost.seconds:.2f} | {cost.command_mib:.0f} | {cost.server_mib:.0f} "
              f"| {cost.answer_bytes:,} |")  # fmt: skip
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        text = json.dumps([asdict(cost) for cost in costs], indent=2)
        (options.out / f"large-sweep-{options.runs}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
