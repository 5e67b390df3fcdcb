"""Fixtures that several rooms share: a clock, databases of both kinds, and a hand that drives sweeps in them."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from common.postgres import Postgres, binaries

from besom.common import spool_format
from besom.operations import agents, runs, sweeps
from besom.store import run_answers
from besom.store import sweeps as stored_sweeps
from besom.store.database import Database
from besom.wire.agents import Claim, Finish, HandOut, HeldRun, NewAgent, Wait
from besom.wire.runs import FinishAnswer, FinishRun, NewRun, RunAnswer
from besom.wire.sweeps import NewSweep, SweepAnswer

# Whoever starts the tests in the background may have set these to be ignored, and children would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

GRID = """
method: grid
program: train.py
project: shapes
metric: {name: loss, goal: minimize}
parameters:
  lr: {values: [0.1, 0.01, 0.001]}
  size: {values: [1, 2]}
"""


class Clock:
    """Time that moves only when told."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sqlite_database(tmp_path: Path, clock: Clock) -> Iterator[Database]:
    database = Database.open(f"sqlite:///{tmp_path / 'besom.db'}", now=clock)
    yield database
    database.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A private PostgreSQL that does not wait for the disk."""
    if binaries() is None and os.environ.get("CI") != "true":
        pytest.skip("PostgreSQL is not installed")
    with contextlib.closing(Postgres("fsync=off", "full_page_writes=off")) as server:
        yield server


_names = itertools.count()


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    import psycopg

    name = f"besom_{os.getpid()}_{next(_names)}"
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield f"postgresql+psycopg://postgres@/{name}?host={postgres_server.folder}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'besom.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def database(database_url: str, clock: Clock) -> Iterator[Database]:
    database = Database.open(database_url, now=clock)
    yield database
    database.close()


class Hand:
    """Does what agents, scripts and people do, by plain calls."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self._ids = itertools.count()

    def sweep(self, text: str = GRID, **fields: Any) -> str:
        request = NewSweep(request_id=f"request-{next(self._ids)}", text=text, **fields)
        return self.database.write_now(sweeps.create, request, entity="mira", now=self.clock())

    def agent(self, sweep: str, **fields: Any) -> str:
        new = NewAgent(uid=f"agent-{next(self._ids)}", sweep_id=sweep, host="box", pid=1, **fields)
        return self.database.write_now(agents.register, new, "mira", self.clock()).uid

    def claim(self, agent: str, request_id: str | None = None) -> HandOut | Wait | Finish:
        ask = Claim(request_id=request_id or f"ask-{next(self._ids)}")
        return self.database.write_now(runs.claim, agent, ask, self.clock())

    def take(self, agent: str) -> HandOut:
        answer = self.claim(agent)
        assert isinstance(answer, HandOut), answer
        return answer

    def start(self, **fields: Any) -> str:
        new = NewRun(**{"uid": f"run-{next(self._ids)}", "project": "shapes", **fields})
        return self.database.write_now(runs.start, new, "mira", self.clock()).uid

    def append(self, run: str, attempt: int, data: bytes, offset: int = 0, *, writer: str = "w0") -> int:
        return self.database.write_now(
            runs.append, run, attempt, writer, "history", offset, data, self.clock()
        ).next_offset

    def log(self, run: str, attempt: int, rows: Sequence[tuple[int, Mapping[str, Any]]], *, writer: str = "w0") -> int:
        """Logs all rows of a writer at once."""
        return self.append(run, attempt, spool([row(step, data) for step, data in rows]), writer=writer)

    def note(self, run: str, attempt: int, *notes: Mapping[str, Any], writer: str = "notes") -> int:
        """Writes records that are no rows."""
        return self.append(run, attempt, spool([dict(note) for note in notes]), writer=writer)

    def finish(self, run: str, attempt: int = 1, **fields: Any) -> FinishAnswer:
        report = FinishRun(**(fields or {"exit_code": 0}))
        return self.database.write_now(runs.finish, run, attempt, report, self.clock())

    def beat(self, agent: str, *held: HandOut) -> Any:
        runs_held = [HeldRun(uid=run.uid, attempt=run.attempt) for run in held]
        return self.database.write_now(agents.heartbeat, agent, runs_held, self.clock())

    def do(self, operation: Any, *args: Any) -> Any:
        """An operation that takes the time last."""
        return self.database.write_now(operation, *args, self.clock())

    def run(self, uid: str) -> RunAnswer:
        return self.database.read_now(run_answers.get, uid)

    def rows(self, uid: str) -> list[dict[str, Any]]:
        """The merged rows without their times."""
        history = self.database.read_now(run_answers.get, uid, with_history=True).history or []
        return [{key: value for key, value in row.items() if key not in ("_timestamp", "_runtime")} for row in history]

    def state(self, sweep: str) -> SweepAnswer:
        return self.database.read_now(stored_sweeps.answer, sweep)


def row(step: int, data: Mapping[str, Any]) -> dict[str, Any]:
    return {"t": "row", "step": step, "time": 1000.0 + step, "data": dict(data)}


def spool(records: Sequence[Mapping[str, Any]], *, header: bool = True) -> bytes:
    """The bytes of a spool with these JSON records."""
    body = b"".join(spool_format.json_record(dict(record)) for record in records)
    return (spool_format.HEADER if header else b"") + body


@pytest.fixture
def hand(database: Database, clock: Clock) -> Hand:
    """The hand in a database of each kind."""
    return Hand(database, clock)


@pytest.fixture
def sqlite_hand(sqlite_database: Database, clock: Clock) -> Hand:
    """The hand in SQLite, where the kind of database is not the question."""
    return Hand(sqlite_database, clock)


@pytest.fixture
def make_spool() -> Any:
    """The function that makes the bytes of a spool."""
    return spool
