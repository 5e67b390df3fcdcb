"""``fill_besom.py DATABASE RUNS…``: sweeps of so many finished runs, by the operations that agents' requests call."""

from __future__ import annotations

import os
import sys
import time

import sqlalchemy
from answer import answer

from besom.operations import agents, runs, sweeps
from besom.store.database import Database
from besom.wire.agents import Claim, HandOut, NewAgent
from besom.wire.runs import FinishRun
from besom.wire.sweeps import NewSweep

CONFIG = {
    "method": "random", "program": "train.py", "project": "bench",
    "parameters": {name: {"min": 0.0, "max": 1.0} for name in "abc"},
}  # fmt: skip
A_TRANSACTION = 500


def main(url: str, sizes: list[int]) -> None:
    database = Database.open(url)
    try:
        answer(sweeps=[fill(database, size) for size in sizes])
    finally:
        database.close()


def fill(database: Database, count: int) -> str:
    new = NewSweep(request_id=os.urandom(8).hex(), config=CONFIG)
    sweep = database.write_now(sweeps.create, new, entity="bench", now=time.time())
    agent = NewAgent(uid=os.urandom(8).hex(), sweep_id=sweep, host="bench")
    database.write_now(agents.register, agent, "bench", time.time())
    for first in range(0, count, A_TRANSACTION):
        database.write_now(some_runs, agent.uid, min(A_TRANSACTION, count - first))
    return sweep


def some_runs(c: sqlalchemy.Connection, agent: str, count: int) -> None:
    for _ in range(count):
        run = runs.claim(c, agent, Claim(request_id=os.urandom(8).hex()), time.time())
        assert isinstance(run, HandOut), run
        runs.finish(c, run.uid, run.attempt, FinishRun(exit_code=0), time.time())


main(sys.argv[1], [int(size) for size in sys.argv[2:]])
