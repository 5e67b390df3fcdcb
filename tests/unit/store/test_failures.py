from __future__ import annotations

import contextlib
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError, PendingRollbackError

from besom.errors import DataFolderError, Refused
from besom.store.database import Database
from besom.store.failures import understood

URL = make_url("postgresql://ada:sesame@db/besom")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OperationalError("SELECT 1", {}, Exception("no route for sesame\nHINT")), r"now: no route for \*"),
        (PendingRollbackError("Can't reconnect until invalid transaction is rolled back."), "its connection broke off"),
        (sqlite3.OperationalError("database is locked"), "cannot be used now: database is locked"),
        (DatabaseError("x", {}, sqlite3.DatabaseError("database disk image is malformed")), "damaged .* restore FILE"),
    ],
)  # fmt: skip
def test_what_passes_and_what_is_damaged_are_sentences(error: Exception, words: str) -> None:
    found = understood(error, URL)
    assert isinstance(found, DataFolderError)
    with pytest.raises(DataFolderError, match=words):
        raise found
    assert "sesame" not in str(found)


@pytest.mark.parametrize("error", [IntegrityError("x", {}, Exception("twice")), Refused("no"), ValueError("x")])
def test_other_errors_stay_as_they_are(error: Exception) -> None:
    assert understood(error, URL) is error


def test_a_locked_database_is_waited_for_and_then_told_as_passing(tmp_path: Path) -> None:
    file = tmp_path / "besom.db"
    database = Database.open(f"sqlite:///{file}", wait_s=0.1)
    with contextlib.closing(database), contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DataFolderError, match="cannot be used now: database is locked"):
            database.write_now(lambda c: None)
        assert database.read_now(lambda c: c.execute(text("SELECT 1")).scalar_one()) == 1
        other.execute("COMMIT")
        database.write_now(lambda c: None)


@pytest.mark.postgres
def test_a_connection_that_breaks_in_the_middle_of_a_group_undoes_it_and_the_next_is_written(postgres_url: str) -> None:
    def change(name: str) -> Any:
        return lambda c: c.execute(text(f"INSERT INTO meta VALUES ('{name}', '')"))

    def breaks(connection: Connection) -> None:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with contextlib.closing(Database.open(postgres_url)) as database, ThreadPoolExecutor(4) as pool:
        begun, held = threading.Event(), threading.Event()
        pool.submit(database.write_now, lambda c: begun.set() or held.wait(60))
        assert begun.wait(60)
        futures = [pool.submit(database.write_now, what) for what in (change("before"), breaks, change("after"))]
        held.set()
        for future in futures:
            with contextlib.suppress(DataFolderError):
                future.result(60)
        assert isinstance(futures[1].exception(), DataFolderError)
        kept = [name for name, future in zip(("before", "", "after"), futures, strict=True) if not future.exception()]
        database.write_now(change("later"))
        names = database.read_now(lambda c: c.execute(text("SELECT name FROM meta")).scalars().all())
    assert sorted(names) == sorted([*kept, "later", "server_id"])
