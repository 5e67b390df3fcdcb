from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from besom.errors import BesomError, DataFolderError, Refused
from besom.store import events, projects
from besom.store.database import Database
from besom.store.restoring import restore

NOW = 1_790_000_000.0
KEPT = "besom.db.replaced-20260921T141320Z"


def project_names(file: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM project ORDER BY id")]


def tell(connection: Any) -> None:
    events.tell(connection, "sweep.created", 1.0)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A database with a project "new" and an event."""
    file = tmp_path / "besom.db"
    with contextlib.closing(Database.open(f"sqlite:///{file}")) as database:
        database.write_now(projects.get_or_make, "mira", "old", 1.0)
        database.write_now(tell)
        database.backup(tmp_path / "copy.db")
        database.write_now(projects.get_or_make, "mira", "new", 1.0)
        database.write_now(tell)
    return file


@pytest.fixture
def copy(target: Path) -> Path:
    """What `target` was before the project "new"."""
    return target.with_name("copy.db")


def test_the_copy_takes_the_place_and_what_was_there_is_kept(target: Path, copy: Path) -> None:
    kept = restore(copy, target, NOW)

    assert kept == target.with_name(KEPT)
    assert project_names(target) == ["old"]
    assert project_names(kept) == ["old", "new"]
    assert copy.exists()
    assert target.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in target.parent.iterdir()) == ["besom.db", KEPT, "copy.db"]


def test_restoring_twice_in_a_second_keeps_both(target: Path, copy: Path) -> None:
    assert restore(copy, target, NOW) != restore(copy, target, NOW)


def test_numbers_of_events_are_not_given_out_twice(target: Path, copy: Path) -> None:
    restore(copy, target, NOW)
    with contextlib.closing(Database.open(f"sqlite:///{target}")) as database:
        database.write_now(tell)
        assert database.read_now(events.last_id) == 3


def test_where_nothing_was_there_nothing_is_kept(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "fresh").mkdir()
    target = tmp_path / "fresh" / "besom.db"
    assert restore(copy, target, NOW) is None
    assert project_names(target) == ["old"]


def test_a_damaged_database_can_be_replaced_and_is_kept_with_its_log(target: Path, copy: Path) -> None:
    target.write_bytes(b"\0" * 4096)
    target.with_name("besom.db-wal").write_bytes(b"log")
    kept = restore(copy, target, NOW)
    assert kept is not None
    assert kept.read_bytes() == b"\0" * 4096
    assert project_names(target) == ["old"]


def test_a_database_that_another_program_has_open_is_not_replaced(target: Path, copy: Path) -> None:
    with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM project").fetchall()
        with contextlib.closing(sqlite3.connect(target)) as writer, writer:
            writer.execute("DELETE FROM project WHERE name = 'new'")
        with pytest.raises(Refused, match=r"another program has .* open"):
            restore(copy, target, NOW)
        other.execute("COMMIT")
    assert project_names(target) == ["old"]


def torn(file: Path) -> None:
    """A page in the middle is gone."""
    content = bytearray(file.read_bytes())
    content[5 * 4096 : 6 * 4096] = os.urandom(4096)
    file.write_bytes(content)


def foreign(file: Path) -> None:
    file.unlink()
    with contextlib.closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE runs (id)")


def newer(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (torn, "is damaged and was not restored"),
        (
            lambda file: file.write_text("nothing of the kind"),
            "is damaged and was not restored: file is not a database",
        ),
        (lambda file: file.write_bytes(b""), "is not a database of Besom"),
        (foreign, "is not a database of Besom"),
        (newer, "was made by a newer Besom"),
        (Path.unlink, "there is no file"),
    ],
)
def test_a_copy_that_is_not_good_changes_nothing(spoil: Any, words: str, target: Path, copy: Path) -> None:
    spoil(copy)
    before = target.read_bytes()
    with pytest.raises(BesomError, match=words):
        restore(copy, target, NOW)
    assert target.read_bytes() == before
    assert not [*target.parent.glob("*.replaced-*"), *target.parent.glob("*restoring*")]


def test_a_folder_that_cannot_be_written_is_one_sentence(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(DataFolderError, match="cannot be put in the place of"):
        restore(copy, tmp_path / "nowhere" / "besom.db", NOW)


def test_a_vacuum_gives_room_back(database: Database) -> None:
    for number in range(20):
        database.write_now(
            lambda c, n=number: c.execute(text(f"INSERT INTO meta VALUES ('x{n}', '{os.urandom(100_000).hex()}')"))
        )
    before = database.size()
    database.write_now(lambda c: c.execute(text("DELETE FROM meta WHERE name LIKE 'x%'")))

    database.vacuum()

    assert before > 2_000_000
    # PostgreSQL gives back what is at the end of a table's file; here that is nearly all.
    assert database.size() < before
    database.write_now(projects.get_or_make, "mira", "p", 1.0)


def test_a_vacuum_without_room_for_it_is_refused(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(Refused, match=r"a vacuum needs .* bytes of room"):
        sqlite_database.vacuum()
    sqlite_database.write_now(projects.get_or_make, "mira", "p", 1.0)
