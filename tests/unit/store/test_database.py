from __future__ import annotations

import asyncio
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from besom.errors import DataFolderError, IncompatibleVersion, ServerBusy, UsageError
from besom.store import database as module
from besom.store import events, projects, status
from besom.store.database import Database
from besom.store.migrations import HEAD


def write_version(path: Path, version: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = ?", [version])
    connection.commit()
    connection.close()


def test_a_new_database_has_the_newest_schema_and_a_server_id(sqlite_database: Database) -> None:
    version = sqlite_database.read_now(lambda c: c.execute(text("SELECT version_num FROM alembic_version")).scalar())
    assert version == HEAD
    assert len(sqlite_database.read_now(status.server_id)) == 16


def test_the_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from besom.store.tables import metadata

    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_opening_again_keeps_everything_and_copies_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'b.db'}"
    first = Database.open(url)
    server_id = first.read_now(status.server_id)
    first.write_now(projects.get_or_make, "mira", "p", 1.0)
    first.close()
    second = Database.open(url)
    assert second.read_now(projects.find, "mira", "p") is not None
    assert second.read_now(status.server_id) == server_id
    second.close()
    assert [path.name for path in tmp_path.iterdir()] == ["b.db"]


def test_a_newer_schema_is_refused_with_a_sentence(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'b.db'}"
    Database.open(url).close()
    write_version(tmp_path / "b.db", "9999")
    with pytest.raises(IncompatibleVersion, match=r"newer Besom \(its schema is 9999.*: upgrade Besom"):
        Database.open(url)


def test_before_a_migration_the_file_is_copied_beside_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from besom.store import migrating

    url = f"sqlite:///{tmp_path / 'b.db'}"
    first = Database.open(url)
    first.write_now(projects.get_or_make, "mira", "p", 1.0)
    first.close()
    write_version(tmp_path / "b.db", "0000")
    monkeypatch.setattr(migrating, "KNOWN", {"0000", HEAD})
    monkeypatch.setattr(
        migrating, "_upgrade", lambda c: c.execute(text("UPDATE alembic_version SET version_num='0001'"))
    )
    Database.open(url, now=lambda: 77.0).close()
    copy = sqlite3.connect(tmp_path / f"b.db.before-{HEAD}-19700101T000117Z")
    assert copy.execute("SELECT name FROM project").fetchall() == [("p",)]
    assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [("0000",)]
    copy.close()


def test_two_that_open_at_once_make_one_schema(database_url: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        opened = [future.result() for future in [pool.submit(Database.open, database_url) for _ in range(2)]]
    assert opened[0].read_now(status.server_id) == opened[1].read_now(status.server_id)
    for database in opened:
        database.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [("nonsense", "cannot be read"), ("mysql://h/d", "'mysql' is not known"), ("sqlite://", "write sqlite:///PATH")],
)
def test_an_impossible_address_is_refused(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Database.open(url)


def test_a_database_that_cannot_be_opened_is_named_without_its_password() -> None:
    with pytest.raises(DataFolderError) as caught:
        Database.open("postgresql://mira:s3cret@127.0.0.1:1/besom")
    assert "s3cret" not in str(caught.value)
    assert "mira:***@127.0.0.1:1/besom" in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.db").write_bytes(b"this is a letter, not a database" * 100)
    with pytest.raises(DataFolderError, match="not a database"):
        Database.open(f"sqlite:///{tmp_path / 'b.db'}")


def test_a_backup_holds_what_was_committed(sqlite_database: Database, tmp_path: Path) -> None:
    sqlite_database.write_now(projects.get_or_make, "mira", "p", 1.0)
    sqlite_database.backup(tmp_path / "copy.db")
    copy = Database.open(f"sqlite:///{tmp_path / 'copy.db'}")
    assert copy.read_now(projects.find, "mira", "p") is not None
    copy.close()
    with pytest.raises(DataFolderError, match="exists already"):
        sqlite_database.backup(tmp_path / "copy.db")


@pytest.mark.postgres
def test_a_backup_of_postgresql_is_pg_dumps_matter(postgres_url: str, tmp_path: Path) -> None:
    database = Database.open(postgres_url)
    with pytest.raises(DataFolderError, match="pg_dump"):
        database.backup(tmp_path / "copy")
    database.close()


def test_too_much_that_waits_is_refused_until_it_is_written(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING_BYTES", 100)
    entered, go = threading.Event(), threading.Event()

    def hold(connection: Connection, data: bytes) -> None:
        entered.set()
        go.wait(30)

    def keep(connection: Connection, data: bytes) -> int:
        return len(data)

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(sqlite_database.write_now, hold, b"x" * 80)
        assert entered.wait(30)
        with pytest.raises(ServerBusy, match="in a moment"):
            sqlite_database.write_now(keep, b"x" * 30)
        go.set()
        held.result()
    sqlite_database.write_now(keep, b"")
    assert sqlite_database.write_now(keep, b"x" * 30) == 30


def test_what_waits_is_written_before_the_database_closes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'b.db'}"
    database = Database.open(url)

    async def write_and_close() -> list[Any]:
        changes = [asyncio.ensure_future(database.write(events.tell, "run.progress", 1.0)) for _ in range(20)]
        await asyncio.sleep(0)
        await asyncio.to_thread(database.close)
        return await asyncio.gather(*changes)

    asyncio.run(write_and_close())
    with pytest.raises(ServerBusy, match="shutting down"):
        database.write_now(events.tell, "run.progress", 1.0)
    again = Database.open(url)
    assert again.read_now(events.last_id) == 20
    again.close()


def test_only_changes_that_can_be_sent_again_skip_the_disk(sqlite_database: Database) -> None:
    def level(connection: Connection) -> int:
        found: int = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
        return found

    def durable(connection: Connection) -> int:
        return level(connection)

    @module.refetchable
    def refetchable(connection: Connection) -> int:
        return level(connection)

    full, normal = 2, 1
    assert [sqlite_database.write_now(change) for change in (durable, refetchable, durable)] == [full, normal, full]


def test_an_exclusive_database_reads_and_writes_through_one_connection(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'b.db'}"
    database = Database.open(url, exclusive=True)
    project = database.write_now(projects.get_or_make, "mira", "p", 1.0)
    assert database.read_now(projects.find, "mira", "p") == project
    with pytest.raises(Exception, match="readonly database"):
        database.read_now(projects.get_or_make, "mira", "other", 1.0)
    assert database.write_now(projects.get_or_make, "mira", "q", 1.0) != project
    database.backup(tmp_path / "copy.db")
    assert not (tmp_path / "b.db-shm").exists()
    intruder = sqlite3.connect(tmp_path / "b.db", timeout=0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        intruder.execute("SELECT * FROM project")
    intruder.close()
    database.close()
    copy = Database.open(f"sqlite:///{tmp_path / 'copy.db'}")
    assert copy.read_now(projects.find, "mira", "p") == project
    copy.close()


def test_whoever_stops_waiting_for_a_change_holds_nobody_else_up(sqlite_database: Database) -> None:
    async def ask() -> tuple[int, int]:
        gone = asyncio.ensure_future(sqlite_database.write(projects.get_or_make, "mira", "a", 1.0))
        stays = asyncio.ensure_future(sqlite_database.write(projects.get_or_make, "mira", "b", 1.0))
        await asyncio.sleep(0)
        gone.cancel()
        found = await stays
        return found, await sqlite_database.write(projects.get_or_make, "mira", "a", 1.0)

    other, first = asyncio.run(ask())
    assert first < other
