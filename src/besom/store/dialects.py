"""Everything in which SQLite and PostgreSQL differ."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Insert, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from besom.errors import DataFolderError, UsageError
from besom.store.bell import CHANNEL

# One word for "somebody writes to this database"; any number will do.
WRITE_LOCK = 0x6265736F6D
_BUSY_MS = 30_000
# What a database that cannot be used raises, through SQLAlchemy or past it.
FAILURES = (SQLAlchemyError, sqlite3.Error)


def writing_engine(url: str, *, exclusive: bool = False) -> Engine:
    """The engine of the writer thread; raises UsageError for an address that is neither of the two databases'.

    ``exclusive``: one connection holds an SQLite file for itself, and its log needs no shared memory.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed, pool_size=1, max_overflow=1, pool_pre_ping=True)
    arguments = {"timeout": _BUSY_MS / 1000, "check_same_thread": False}
    engine = create_engine(parsed, pool_size=1, max_overflow=0, connect_args=arguments)
    _prepare_sqlite(engine, "BEGIN IMMEDIATE", "PRAGMA locking_mode = EXCLUSIVE" if exclusive else "")
    return engine


def reading_engine(url: URL) -> Engine:
    """The engine of the readers: every transaction is one snapshot, and a write fails."""
    if url.get_backend_name() == "postgresql":
        return create_engine(url, pool_pre_ping=True, isolation_level="REPEATABLE READ").execution_options(
            postgresql_readonly=True
        )
    engine = create_engine(url, connect_args={"timeout": _BUSY_MS / 1000, "check_same_thread": False})
    _prepare_sqlite(engine, "BEGIN", "PRAGMA query_only = ON")
    return engine


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except ArgumentError:
        raise UsageError(
            "the database address cannot be read: write sqlite:///PATH or postgresql://USER@HOST/NAME"
        ) from None
    if backend == "postgresql":
        _need_psycopg()
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and parsed.database:
        return parsed
    raise UsageError(
        f"a database of kind {backend!r} is not known: write sqlite:///PATH or postgresql://USER@HOST/NAME"
    )


def _need_psycopg() -> None:
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise UsageError("PostgreSQL needs one more package: pip install 'besom[postgres]'") from None


def _prepare_sqlite(engine: Engine, begin: str, pragma: str) -> None:
    @event.listens_for(engine, "connect")
    def connected(raw: sqlite3.Connection, _: Any) -> None:
        # Transactions are begun below, not by the driver's own guesses.
        raw.isolation_level = None
        raw.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        raw.execute("PRAGMA foreign_keys = ON")
        if pragma:
            raw.execute(pragma)

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(connection.info.get("begin", begin))


def use_wal(engine: Engine) -> None:
    """Switches an SQLite file to its write-ahead log, in which readers never wait for the writer."""
    if engine.dialect.name == "sqlite":
        raw = engine.raw_connection()
        try:
            raw.cursor().execute("PRAGMA journal_mode = WAL")
        finally:
            raw.close()


def prepare(connection: Connection, *, refetchable: bool, looking: bool) -> None:
    """Before a transaction: whether its commit waits for the disk (see also begin_writing), and whether it writes."""
    connection.info["refetchable"] = refetchable
    if connection.dialect.name == "sqlite":
        connection.info["begin"] = "BEGIN" if looking else "BEGIN IMMEDIATE"
        level = "NORMAL" if refetchable else "FULL"
        if connection.info.get("synchronous") != level:
            raw: Any = connection.connection.dbapi_connection
            raw.execute(f"PRAGMA synchronous = {level}")
            connection.info["synchronous"] = level


def begin_writing(connection: Connection) -> None:
    """At the start of a transaction that writes: one writer at a time, so that event ids appear in commit order."""
    if connection.dialect.name == "postgresql":
        if connection.info["refetchable"]:
            connection.execute(text("SET LOCAL synchronous_commit = off"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITE_LOCK})


def notify(connection: Connection, last_event: int) -> None:
    """Tells other processes, with the commit, that there are events."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_notify(:channel, :last)"), {"channel": CHANNEL, "last": str(last_event)})


def connect_arguments(engine: Engine) -> dict[str, Any]:
    """What psycopg itself wants in order to connect to the same database."""
    _, arguments = engine.dialect.create_connect_args(engine.url)
    return dict(arguments)


def upsert(connection: Connection, table: Table, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts the rows; where the keys are there already, the other columns are replaced."""
    if rows:
        statement = _upsert(connection.dialect.name, table, tuple(keys), tuple(rows[0]))
        connection.execute(statement, list(rows))


# Building this one costs more than running it, and every append needs it.
@cache
def _upsert(dialect: str, table: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> Any:
    insert = _insert(dialect, table)
    others = {name: insert.excluded[name] for name in columns if name not in keys}
    return insert.on_conflict_do_update(index_elements=list(keys), set_=others)


def insert_or_leave(
    connection: Connection, table: Table, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Inserts the rows that are not there yet."""
    if rows:
        insert = insert_into(connection, table)
        connection.execute(insert.on_conflict_do_nothing(index_elements=list(keys)), list(rows))


def insert_into(connection: Connection, table: Table) -> Any:
    """An insert that knows ON CONFLICT; both databases spell it alike."""
    return _insert(connection.dialect.name, table)


def _insert(dialect: str, table: Table) -> Any:
    make: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement: Insert = make(table)
    return statement


@contextmanager
def only_looking(connection: Connection) -> Iterator[None]:
    """Makes a connection that may write refuse to, for a while (SQLite)."""
    connection.exec_driver_sql("PRAGMA query_only = ON")
    try:
        yield
    finally:
        connection.exec_driver_sql("PRAGMA query_only = OFF")


def copy_file(raw: Any, target: Path) -> None:
    """A copy of an SQLite file as this connection sees it, also while others write to it.

    The connection must not be inside a transaction that writes: SQLite would wait for its end.
    """
    copy = sqlite3.connect(target)
    try:
        raw.backup(copy)
    finally:
        copy.close()


def copy_if_older(engine: Engine, head: str, now: float) -> None:
    """Copies an SQLite file beside itself if it has a schema that is not ``head``."""
    if engine.dialect.name != "sqlite":
        return
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'")
        if cursor.fetchone() is None:
            return
        cursor.execute("SELECT version_num FROM alembic_version")
        if cursor.fetchone() != (head,):
            file = Path(str(engine.url.database))
            copy_file(raw.dbapi_connection, file.with_name(f"{file.name}.before-{head}-{int(now)}"))
    finally:
        raw.close()


def backup(connection: Connection, target: Path) -> None:
    """The copy that a person asks for; raises DataFolderError with what to do instead."""
    if connection.dialect.name != "sqlite":
        raise DataFolderError("this server keeps its data in PostgreSQL: back it up with pg_dump")
    if target.exists():
        raise DataFolderError(f"{target} exists already: name a file that does not")
    try:
        copy_file(connection.connection.dbapi_connection, target)
    except (sqlite3.Error, OSError) as error:
        raise DataFolderError(f"cannot write the backup {target}: {error}") from None


def reason(error: Exception, url: URL) -> str:
    """The database's own words without statement, parameters or password."""
    original = getattr(error, "orig", None)
    words = str(original or error).strip().splitlines()
    sentence = words[0] if words else type(error).__name__
    if url.password:
        sentence = sentence.replace(str(url.password), "***")
    return sentence
