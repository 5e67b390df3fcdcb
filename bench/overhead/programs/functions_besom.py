"""``functions_besom.py SWEEP RUNS AGENTS ISOLATION``: trivial functions called by agents on one sweep."""

from __future__ import annotations

import multiprocessing
import sys
import time
from typing import Any

from answer import answer

import besom


def train() -> None:
    with besom.init() as run:
        besom.log({"loss": run.config["x"]})


def agent(sweep: str, runs: int, isolation: Any, barrier: Any, times: Any) -> None:
    barrier.wait(60)
    begun = time.monotonic()
    besom.agent(sweep, function=train, count=runs, isolation=isolation)
    times.put((begun, time.monotonic()))


def main(sweep: str, runs: int, agents: int, isolation: str) -> None:
    context = multiprocessing.get_context("fork")
    barrier, times = context.Barrier(agents), context.Queue()
    begun = [
        context.Process(target=agent, args=(sweep, runs // agents, isolation, barrier, times)) for _ in range(agents)
    ]  # fmt: skip
    for process in begun:
        process.start()
    found = [times.get(timeout=120) for _ in begun]
    for process in begun:
        process.join(60)
    wall = max(end for _, end in found) - min(start for start, _ in found)
    answer(ms_a_run=wall * 1000 / runs, runs=runs)


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
