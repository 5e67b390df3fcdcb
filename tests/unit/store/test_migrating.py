from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text

from besom.engine.judging import Kept
from besom.errors import DataFolderError, IncompatibleVersion
from besom.stopping import Seen
from besom.store import dialects, migrating, observations, sweeps
from besom.store.copies import COPIES_KEPT, copies_beside
from besom.store.database import Database
from besom.store.migrations import HEAD

NEXT = f"{int(HEAD) + 1:04}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database of the present schema."""
    file = tmp_path / "besom.db"
    Database.open(f"sqlite:///{file}").close()
    return file


def as_older(file: Path, monkeypatch: pytest.MonkeyPatch, statement: str) -> None:
    """From now on the present schema is an old one, and the new one is made by ``statement``."""
    monkeypatch.setattr(migrating, "HEAD", NEXT)
    monkeypatch.setattr(migrating, "KNOWN", {HEAD, NEXT})

    def upgrade(connection: Connection) -> None:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{NEXT}'"))
        connection.execute(text(statement))

    monkeypatch.setattr(migrating, "_upgrade", upgrade)


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_migration_that_fails_changes_nothing_and_names_the_copy(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_older(file, monkeypatch, "INSERT INTO nowhere VALUES (1)")
    with pytest.raises(
        DataFolderError, match=rf"from schema {HEAD} to {NEXT} \(no such table: nowhere\).* left as it is"
    ) as e:
        Database.open(f"sqlite:///{file}")
    (copy,) = copies_beside(file)
    assert str(copy) in str(e.value)
    monkeypatch.undo()
    Database.open(f"sqlite:///{file}").close()


def test_without_room_for_the_copy_nothing_is_changed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_older(file, monkeypatch, "SELECT 1")
    # A folder in the copy's place fails as a full disk does: with an error of the system.
    monkeypatch.setattr("besom.store.copies.stamp", lambda _: "20260101T000000Z")
    (file.parent / f".besom.db.before-{NEXT}-20260101T000000Z.draft").mkdir()
    with pytest.raises(DataFolderError, match="cannot be copied beside itself"):
        Database.open(f"sqlite:///{file}")
    with contextlib.closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]


def test_of_the_copies_that_migrations_leave_the_newest_stay(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(1, 6):
        (file.parent / f"besom.db.before-{HEAD}-2026010{day}T000000Z").touch()
    (file.parent / "besom.db.before-my-holiday").touch()
    as_older(file, monkeypatch, "SELECT 1")

    Database.open(f"sqlite:///{file}", now=lambda: 1_790_000_000.0).close()

    assert [copy.name for copy in copies_beside(file)] == [
        f"besom.db.before-{HEAD}-20260104T000000Z",
        f"besom.db.before-{HEAD}-20260105T000000Z",
        f"besom.db.before-{NEXT}-20260921T141320Z",
    ]
    assert len(copies_beside(file)) == COPIES_KEPT
    assert (file.parent / "besom.db.before-my-holiday").exists()


def test_a_newer_schema_is_not_even_copied(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
    before = digest(file)
    with pytest.raises(IncompatibleVersion, match=f"its schema is 0099, this program knows {HEAD}"):
        Database.open(f"sqlite:///{file}")
    assert digest(file) == before
    assert copies_beside(file) == []


@pytest.mark.parametrize(
    "tables",
    [
        ["CREATE TABLE runs (id)"],
        ["CREATE TABLE alembic_version (version_num)", "INSERT INTO alembic_version VALUES ('bf0ae78')"],
        ["CREATE TABLE alembic_version (version_num)", "CREATE TABLE meta (key)"],
        ["CREATE TABLE alembic_version (version_num)", "CREATE TABLE meta (name, value)"],
    ],
)
def test_a_file_of_another_program_is_refused_and_left_as_it_is(tables: list[str], tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    with contextlib.closing(sqlite3.connect(file)) as other, other:
        for table in tables:
            other.execute(table)
    before = digest(file)
    with pytest.raises(DataFolderError, match="belongs to another program and was left as it is"):
        Database.open(f"sqlite:///{file}")
    assert digest(file) == before


@pytest.mark.postgres
def test_postgresql_may_hold_tables_of_others_under_other_names_only(postgres_url: str) -> None:
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE mine (id int)"))
    Database.open(postgres_url).close()
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
        connection.execute(text("CREATE TABLE run (id int)"))
    engine.dispose()
    with pytest.raises(DataFolderError, match="belongs to another program"):
        Database.open(postgres_url)


def test_a_damaged_file_is_refused_with_the_way_out(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[100:4096] = b"\xff" * 3996
    file.write_bytes(content)
    with pytest.raises(DataFolderError, match=r"cannot be used: .*; put a copy in its place with `besom server re"):
        Database.open(f"sqlite:///{file}")


def test_another_program_that_opens_the_file_at_the_same_moment_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "besom.db"
    with contextlib.closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("CREATE TABLE t (x)")
        other.execute("BEGIN IMMEDIATE")
        engine = dialects.writing_engine(f"sqlite:///{file}")
        refused = threading.Event()

        def end_when_refused() -> None:
            refused.wait(10)
            other.execute("COMMIT")

        ending = threading.Thread(target=end_when_refused)
        ending.start()
        with contextlib.closing(sqlite3.connect(file, timeout=10)) as third, pytest.raises(sqlite3.OperationalError):
            third.execute("PRAGMA journal_mode = WAL")
        refused.set()
        dialects.use_wal(engine)
        ending.join()
        with contextlib.closing(engine.raw_connection()) as raw:
            assert raw.cursor().execute("PRAGMA journal_mode").fetchone() == ("wal",)
        engine.dispose()


def test_rungs_of_the_first_schema_are_counts_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    monkeypatch.setattr(migrating, "HEAD", "0001")
    engine = create_engine(url)
    migrating.migrate(engine, 0.0)
    monkeypatch.undo()
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO project VALUES (1, 'ada', 'p', 1.0)",
            "INSERT INTO sweep (id, uid, project_id, request_id, name, description, state, method, retry, notes, seed, "
            "created, updated) VALUES (7, 's', 1, 'r', 's', '', 'running', 'random', '{}', '[]', 1, 1.0, 1.0)",
            "INSERT INTO run (id, uid, project_id, sweep_id, name, display_name, tags, params, config, state, attempt, "
            "warnings, created) VALUES (3, 'u', 1, 7, 'n', 'n', '[]', '{}', '{}', 'running', 1, '[]', 1.0)",
            "INSERT INTO observation (run_id, rung, sweep_id, value, best) VALUES (3, 9, 7, 0.5, 0.25)",
        ):
            connection.execute(text(statement))
    engine.dispose()
    with contextlib.closing(Database.open(url)) as database:
        assert database.read_now(observations.of_run, 3) == {("count", 9): Kept(-1, Seen(9, 0.5, 0.25, 0.5))}
        assert database.read_now(sweeps.get, "s").run_time_ms == 0
