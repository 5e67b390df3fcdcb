"""Everything in which SQLite and PostgreSQL differ."""

from __future__ import annotations

import contextlib
import select
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Insert, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DisconnectionError

from besom.errors import DataFolderError, Refused, UsageError
from besom.store.bell import CHANNEL
from besom.store.copies import copy_whole
from besom.store.prepared import Prepared, as_ours

# One word for "somebody writes to this database"; any number will do.
WRITE_LOCK = 0x6265736F6D
# How long a change waits for another program that holds the database; less than a client waits for an answer.
WAIT_S = 10.0
# Free pages of an SQLite file that are kept for what is written next, as a count and as a part of the file (1 in …).
_FREE_PAGES = 512
_FREE_PART = 32
_PAGES_AT_ONCE = 64
_MAY_BE_LOST = Prepared(text("SET LOCAL synchronous_commit = off"))
_LOCK = Prepared(text("SELECT pg_advisory_xact_lock(:key)"))
_NOTIFY = Prepared(text("SELECT pg_notify(:channel, :last)"))
_BEGIN = {word: Prepared(text(word)) for word in ("BEGIN", "BEGIN IMMEDIATE")}
# A database server that vanished from the network is given up after so long.
_CONNECT_S = 10


def writing_engine(url: str, *, exclusive: bool = False, wait_s: float = WAIT_S) -> Engine:
    """The engine of the writer thread; raises UsageError for an address that is neither of the two databases'.

    ``exclusive``: one connection holds an SQLite file for itself, and its log needs no shared memory. ``wait_s``: how
    long a change waits while another program holds the database.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "postgresql":
        engine = _postgres_engine(parsed, pool_size=1, max_overflow=1)
        _leave_closed_connections(engine)
        _limit_lock_waits(engine, wait_s)
        _wait_for_plain_statements(engine)
        return engine
    engine = create_engine(parsed, pool_size=1, max_overflow=0, connect_args={"check_same_thread": False})
    _prepare_sqlite(engine, "BEGIN IMMEDIATE", "locking_mode = EXCLUSIVE" if exclusive else "", wait_s)
    return engine


def reading_engine(url: URL, *, wait_s: float = WAIT_S) -> Engine:
    """The engine of the readers: every transaction is one snapshot, and a write fails."""
    if url.get_backend_name() == "postgresql":
        engine = _postgres_engine(url, isolation_level="REPEATABLE READ", pool_timeout=wait_s, pool_pre_ping=True)
        return engine.execution_options(postgresql_readonly=True)
    engine = create_engine(url, connect_args={"check_same_thread": False})
    _prepare_sqlite(engine, "BEGIN", "query_only = ON", wait_s)
    return engine


def _postgres_engine(url: URL, **more: Any) -> Engine:
    patience = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_S}
    return create_engine(url, connect_args=patience, **more)


def _limit_lock_waits(engine: Engine, wait_s: float) -> None:
    @event.listens_for(engine, "connect")
    def connected(raw: Any, _: Any) -> None:
        raw.execute(f"SET lock_timeout = {int(wait_s * 1000)}")
        raw.commit()


def _leave_closed_connections(engine: Engine) -> None:
    """A connection that its server has closed is replaced, which costs no question to the server."""

    @event.listens_for(engine, "checkout")
    def checked_out(raw: Any, *_: Any) -> None:
        # Unasked, a server says little but its farewell.
        poll = select.poll()
        poll.register(raw.pgconn.socket, select.POLLIN)
        if raw.closed or poll.poll(0):
            raise DisconnectionError("the server has closed the connection")


def _wait_for_plain_statements(engine: Engine) -> None:
    """SQLAlchemy looks for the result of a statement at once, also within `unanswered`."""

    @event.listens_for(engine, "after_cursor_execute")
    def executed(connection: Connection, *_: Any) -> None:
        if (pipeline := connection.info.get("pipeline")) is not None:
            pipeline.sync()


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


def _prepare_sqlite(engine: Engine, begin: str, pragma: str, wait_s: float) -> None:
    @event.listens_for(engine, "connect")
    def connected(raw: sqlite3.Connection, _: Any) -> None:
        # Transactions are begun below, not by the driver's own guesses.
        raw.isolation_level = None
        raw.execute(f"PRAGMA busy_timeout = {int(wait_s * 1000)}")
        raw.execute("PRAGMA foreign_keys = ON")
        if pragma:
            raw.execute(f"PRAGMA {pragma}")
        if raw.execute("PRAGMA page_count").fetchone() == (0,):
            # Only a file without tables takes this one, and then its free pages can be given back.
            raw.execute("PRAGMA auto_vacuum = INCREMENTAL")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        _BEGIN[connection.info.get("begin", begin)].execute(connection)


def use_wal(engine: Engine) -> None:
    """Switches an SQLite file to its write-ahead log, in which readers never wait for the writer."""
    if engine.dialect.name != "sqlite":
        return
    end = time.monotonic() + WAIT_S
    with contextlib.closing(engine.raw_connection()) as raw:
        while True:
            try:
                raw.cursor().execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                # SQLite's own patience does not reach here: another program that opens the file meets us at once.
                if "locked" not in str(error) or time.monotonic() > end:
                    raise
            time.sleep(0.02)


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
            _MAY_BE_LOST.execute(connection)
        _LOCK.first(connection, key=WRITE_LOCK)


@contextmanager
def unanswered(connection: Connection) -> Iterator[None]:
    """Within it, prepared statements that give no rows are sent without waiting for their answer (PostgreSQL).

    What is wrong with one is raised by a later one, at the end at the latest; of several errors the first.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    raw: Any = connection.connection.dbapi_connection
    try:
        with raw.pipeline() as pipeline:
            connection.info["pipeline"] = pipeline
            yield
    except connection.dialect.loaded_dbapi.Error as error:
        raise as_ours(connection, None, error) from error
    finally:
        connection.info["pipeline"] = None


def hold_for_migration(connection: Connection) -> None:
    """At the start of a migration: nobody else writes, however long somebody else's migration takes.

    On SQLite every transaction of the writer begins with the write lock.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITE_LOCK})


def notify(connection: Connection, last_event: int) -> None:
    """Tells other processes, with the commit, that there are events."""
    if connection.dialect.name == "postgresql":
        _NOTIFY.execute(connection, channel=CHANNEL, last=str(last_event))


def connect_arguments(engine: Engine) -> dict[str, Any]:
    """What psycopg itself wants in order to connect to the same database."""
    _, arguments = engine.dialect.create_connect_args(engine.url)
    return dict(arguments)


def upsert(connection: Connection, table: Table, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts the rows; where the keys are there already, the other columns are replaced."""
    if rows:
        _upsert(connection.dialect.name, table, tuple(keys), tuple(rows[0])).many(connection, rows)


# Building this one costs more than running it, and every append needs it.
@cache
def _upsert(dialect: str, table: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> Prepared:
    insert = _insert(dialect, table)
    others = {name: insert.excluded[name] for name in columns if name not in keys}
    return Prepared(insert.on_conflict_do_update(index_elements=list(keys), set_=others), columns)


def insert_or_leave(
    connection: Connection, table: Table, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Inserts the rows that are not there yet."""
    if rows:
        insert = insert_into(connection, table)
        connection.execute(insert.on_conflict_do_nothing(index_elements=list(keys)), list(rows))


def add_unless_there(connection: Connection, table: Table, keys: Sequence[str], row: Mapping[str, Any]) -> int | None:
    """Inserts a row and returns its id; None where a row with these keys is there."""
    found: int | None = _unless_there(connection.dialect.name, table, tuple(keys), tuple(row)).value(connection, **row)
    return found


@cache
def _unless_there(dialect: str, table: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> Prepared:
    insert = _insert(dialect, table).on_conflict_do_nothing(index_elements=list(keys))
    return Prepared(insert.returning(table.c.id), columns)


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


def give_back_pages(connection: Connection) -> bool:
    """Gives free pages of an SQLite file back to the disk, some at a time; False when few enough are left."""
    if connection.dialect.name != "sqlite":
        return False
    free = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    if free <= max(_FREE_PAGES, pages // _FREE_PART):
        return False
    raw: Any = connection.connection.dbapi_connection
    # The driver stops this statement after its first page, whatever number it is given.
    for _ in range(_PAGES_AT_ONCE):
        raw.execute("PRAGMA incremental_vacuum(1)")
    # Without the flag the file has no map that would allow it.
    return bool(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one() < free)


def file_size(url: URL) -> int:
    """The bytes of an SQLite file and its log."""
    return sum(_bytes_of(Path(f"{url.database}{end}")) for end in ("", "-wal"))


def _bytes_of(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def server_size(connection: Connection) -> int:
    """The bytes of a PostgreSQL database."""
    return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def vacuum_file(connection: Connection) -> None:
    """Writes an SQLite file anew without its holes; not inside a transaction. Raises Refused where the disk is full."""
    url = connection.engine.url
    needed, free = 2 * file_size(url), shutil.disk_usage(Path(str(url.database)).parent).free
    if free < needed:
        raise Refused(f"a vacuum needs {needed:,} bytes of room beside {url.database}, and {free:,} are free")
    raw: Any = connection.connection.dbapi_connection
    for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
        raw.execute(statement).fetchall()


def vacuum_server(engine: Engine) -> None:
    """PostgreSQL's own vacuum, beside everything else that goes on."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE)"))


def backup(connection: Connection, target: Path) -> None:
    """The copy that a person asks for; raises DataFolderError with what to do instead."""
    if connection.dialect.name != "sqlite":
        raise DataFolderError("this server keeps its data in PostgreSQL: back it up with pg_dump")
    if target.exists():
        raise DataFolderError(f"{target} exists already: name a file that does not")
    try:
        copy_whole(connection.connection.dbapi_connection, target)
    except (sqlite3.Error, OSError) as error:
        raise DataFolderError(f"cannot write the backup {target}: {error}") from None
