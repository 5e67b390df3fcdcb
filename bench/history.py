"""Histories: bytes a point on disk, and what it costs to read curves back.

Everything is written through the same operation as a live server's (`operations.runs.append` on the writer thread,
with group commit) and read by the functions behind the API::

    .venv/bin/python bench/history.py                                   # SQLite in a temporary folder
    .venv/bin/python bench/history.py --database postgresql://…         # an empty database
    .venv/bin/python bench/history.py --runs 200 --steps 5000 --long 1000000 --out results/

The physical floor beside it: the same values as raw 8-byte numbers, written to a file and flushed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from besom.common.spool_format import HEADER, json_record
from besom.operations import housekeeping, runs, sweeps
from besom.store import curves, projects
from besom.store import runs as stored_runs
from besom.store.database import Database
from besom.wire.runs import Curves, FinishRun, NewRun
from besom.wire.sweeps import NewSweep

METRICS = (
    "train/loss", "train/accuracy", "val/loss", "val/accuracy", "grad_norm", "weight_norm", "gpu_memory", "lr",
    "epoch", "samples_per_second",
)  # fmt: skip
LIVE = 200
WRITERS = 20
SWEEP = "{method: random, program: a.py, project: bench, metric: {name: val/loss}, parameters: {x: {min: 0, max: 1}}}"


@dataclass
class Bytes:
    """What histories take on disk and how fast they were written."""

    database: str
    runs: int
    steps: int
    points: int
    points_per_s: float
    writer_cpu_us_a_point: float
    bytes_a_point: float
    raw_points_per_s: float


@dataclass
class Reads:
    """Milliseconds of process time, the best of several reads."""

    what: str
    cpu_ms: float
    wall_ms: float
    points: int


def values(rng: np.random.Generator, first: int, steps: int) -> NDArray[np.float64]:
    """Rows of ten metrics as training makes them: mostly numbers that were float32, noisy around a trend."""
    at = np.arange(first, first + steps, dtype=np.float64)
    noise = rng.standard_normal((7, steps))
    trend = np.exp(-at / 700.0)
    single = np.stack(
        [
            0.2 + 2.0 * trend + 0.05 * noise[0],
            1.0 - 0.9 * trend + 0.01 * noise[1],
            0.3 + 2.0 * trend + 0.02 * noise[2],
            0.97 - 0.9 * trend + 0.005 * noise[3],
            1.0 + np.abs(noise[4]),
            30.0 + at / 1000.0 + 0.001 * noise[5],
            9.5 + 0.25 * np.floor(at / 400.0),
        ]
    ).astype(np.float32)
    lr = 0.0005 * (1.0 + np.cos(math.pi * np.minimum(at, 10_000.0) / 10_000.0))
    return np.column_stack([*single, lr, np.floor(at / 100.0), 5_000.0 + 40.0 * noise[6]])


def spool_bytes(rng: np.random.Generator, first: int, steps: int, began: float) -> bytes:
    """The bytes that a client ships for these steps."""
    kind = np.dtype([("kind", "<u2"), ("step", "<i8"), ("time", "<f8"), ("values", "<f8", len(METRICS))])
    rows = np.zeros(steps, dtype=kind)
    rows["kind"], rows["step"] = 1, np.arange(first, first + steps)
    rows["time"] = began + 0.05 * rows["step"] + 0.002 * rng.random(steps)
    rows["values"] = values(rng, first, steps)
    head = HEADER + json_record({"t": "kind", "kind": 1, "keys": list(METRICS)}) if first == 0 else b""
    return head + rows.tobytes()


class Load:
    """Runs that log, in an open database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.rng = np.random.default_rng(7)
        request = NewSweep(request_id=os.urandom(8).hex(), text=SWEEP)
        self.sweep = database.write_now(sweeps.create, request, entity="bench", now=time.time())

    def start(self) -> str:
        """A run of the sweep."""
        new = NewRun(uid=os.urandom(8).hex(), project="bench", sweep_id=self.sweep)
        return self.database.write_now(runs.start, new, "bench", time.time()).uid

    async def log(self, uid: str, steps: int, a_post: int) -> None:
        """One run's life."""
        offset, began = 0, time.time()
        for first in range(0, steps, a_post):
            data = spool_bytes(self.rng, first, min(a_post, steps - first), began)
            answer = await self.database.write(runs.append, uid, 1, "w0", "history", offset, data, time.time())
            offset = answer.next_offset
        report = FinishRun(exit_code=0, offsets={"w0/history": offset})
        await self.database.write(runs.finish, uid, 1, report, time.time())

    async def write_all(self, count: int, steps: int, a_post: int = 50) -> list[str]:
        """``count`` runs, at most `LIVE` at a time and in step with each other; `WRITERS` POSTs share a commit."""
        uids = [self.start() for _ in range(count)]
        gate = asyncio.Semaphore(WRITERS)

        async def one(uid: str) -> None:
            offset, began = 0, time.time()
            for first in range(0, steps, a_post):
                async with gate:
                    data = spool_bytes(self.rng, first, min(a_post, steps - first), began)
                    answer = await self.database.write(runs.append, uid, 1, "w0", "history", offset, data, time.time())
                offset = answer.next_offset
            report = FinishRun(exit_code=0, offsets={"w0/history": offset})
            async with gate:
                await self.database.write(runs.finish, uid, 1, report, time.time())

        for wave in range(0, count, LIVE):
            await asyncio.gather(*(one(uid) for uid in uids[wave : wave + LIVE]))
        return uids


def size_on_disk(database: Database) -> int:
    """Bytes of the whole database: every table and index, free pages included."""
    return database.read_now(_size)


def _size(connection: Connection) -> int:
    if connection.dialect.name == "postgresql":
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    return int(pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one())


def settle(database: Database) -> None:
    """What PostgreSQL's autovacuum does by itself within a minute; SQLite needs nothing."""
    if database.engine.dialect.name == "postgresql":
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM"))


def measure_bytes_a_point(database_url: str, count: int = 1000, steps: int = 1000) -> tuple[Bytes, Database, list[str]]:
    """Writes ``count`` runs of ``steps`` × 10 metrics into an empty database and weighs it."""
    database = Database.open(database_url)
    settle(database)
    empty = size_on_disk(database)
    load = Load(database)
    start, cpu = time.perf_counter(), time.process_time()
    uids = asyncio.run(load.write_all(count, steps))
    longest, mean = pack_what_is_due(database)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    settle(database)
    points = count * steps * len(METRICS)
    used = size_on_disk(database) - empty
    found = Bytes(
        database.engine.dialect.name, count, steps, points, points / wall, cpu / points * 1e6, used / points,
        raw_floor(points),
    )  # fmt: skip
    print(f"packing after the end of runs: {mean:.1f} ms a slice, the longest {longest:.1f} ms")
    return found, database, uids


def raw_floor(points: int) -> float:
    """Points a second of raw float64 to a file, made by the same generator and flushed: what no database beats."""
    rng = np.random.default_rng(7)
    with tempfile.TemporaryFile() as file:
        start = time.perf_counter()
        for _ in range(points // 10_000):
            file.write(values(rng, 0, 1000).tobytes())
        file.flush()
        os.fsync(file.fileno())
        return points / (time.perf_counter() - start)


def pack_what_is_due(database: Database) -> tuple[float, float]:
    """Does what the server's timer does beside the hand-outs; returns the longest slice and the mean, in ms."""
    slices = []
    while True:
        start = time.perf_counter()
        if not database.write_now(housekeeping.compact):
            break
        slices.append((time.perf_counter() - start) * 1000)
    return max(slices, default=0.0), sum(slices) / max(1, len(slices))


def measure_curves(database: Database, uids: Sequence[str], px: int = 500, rounds: int = 20) -> list[Reads]:
    """One metric of 100 runs, and of one run, each reduced to ``px`` pixels."""
    wanted = [curve_of(database, uid) for uid in uids]
    return [
        timed(f"{len(part)} curves at {px} px", database, rounds, curves.read, *_args(database, part, px))
        for part in (wanted[:100], wanted[:1])
    ]


def measure_long_run(database_url: str, steps: int, a_post: int = 1000) -> tuple[Bytes, list[Reads]]:
    """One run of many steps: written, and read whole, a tenth of it, and 1,000 steps of it at 1,000 px."""
    database = Database.open(database_url)
    load = Load(database)
    empty, uid = size_on_disk(database), load.start()
    start, cpu = time.perf_counter(), time.process_time()
    asyncio.run(load.log(uid, steps, a_post))
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    pack_what_is_due(database)
    settle(database)
    points = steps * len(METRICS)
    used = size_on_disk(database) - empty
    found = Bytes(
        database.engine.dialect.name, 1, steps, points, points / wall, cpu / points * 1e6, used / points,
        raw_floor(points),
    )  # fmt: skip
    wanted, middle = [curve_of(database, uid)], steps // 2
    windows = {"the whole run": (None, None), "a tenth": (middle, middle + steps // 10 - 1),
               "1,000 steps": (middle, middle + 999)}  # fmt: skip
    reads = [
        timed(f"{what} of {steps:,} steps at 1,000 px", database, 5, curves.read, *_args(database, wanted, 1000), *ends)
        for what, ends in windows.items()
    ]
    database.close()
    return found, reads


def curve_of(database: Database, uid: str) -> curves.CurveOf:
    """A run as the reader of curves wants it."""
    run = database.read_now(stored_runs.get, uid)
    return curves.CurveOf(run.id, run.name, run.attempt)


def _args(database: Database, wanted: Sequence[curves.CurveOf], px: int) -> tuple[Any, ...]:
    project_id = database.read_now(projects.find, "bench", "bench")
    return project_id, "val/loss", wanted, px


def timed(what: str, database: Database, rounds: int, look: Callable[..., Curves], *args: Any) -> Reads:
    """The best of several reads after a first one."""
    found = database.read_now(look, *args)
    times = []
    for _ in range(rounds):
        start, cpu = time.perf_counter(), time.thread_time()
        found = database.read_now(look, *args)
        times.append((time.thread_time() - cpu, time.perf_counter() - start))
    points = sum(len(curve.low) // 4 for curve in found.curves)
    return Reads(what, min(times)[0] * 1000, min(wall for _, wall in times) * 1000, points)


def table(rows: Sequence[Any]) -> str:
    """Dataclasses as a Markdown table."""
    names = list(asdict(rows[0]))
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    for row in rows:
        cells = [f"{cell:,.2f}" if isinstance(cell, float) else f"{cell:,}" if isinstance(cell, int) else cell
                 for cell in asdict(row).values()]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Writes, weighs and reads."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", help="sqlite:///PATH or postgresql://…, empty; a temporary SQLite file")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--long", type=int, default=0, help="instead: one run of so many steps")
    parser.add_argument("--out", type=Path, help="a folder for the results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.database or f"sqlite:///{folder}/besom.db"
        if options.long:
            found, reads = measure_long_run(url, options.long)
        else:
            found, database, uids = measure_bytes_a_point(url, options.runs, options.steps)
            reads = measure_curves(database, uids)
            database.close()
        print(table([found]), table(reads), sep="\n\n")
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
            name = f"history-{found.database}-{found.runs}x{found.steps}.json"
            result = {"written": asdict(found), "read": [asdict(read) for read in reads]}
            (options.out / name).write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
