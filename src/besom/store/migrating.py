"""Bringing the schema up to date when a program opens a database.

Under a lock and in one transaction, so that two programs that start at once do it once and a kill in the middle leaves
what was there; an SQLite file is copied beside itself first. Alembic is loaded only when there is something to do.
"""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, inspect, select, text

from besom.common.ids import new_id
from besom.errors import DataFolderError, IncompatibleVersion
from besom.store import copies, dialects, failures
from besom.store.migrations import HEAD, KNOWN
from besom.store.tables import meta, metadata

FOLDER = Path(__file__).parent / "migrations"

log = logging.getLogger(__name__)


def migrate(engine: Engine, now: float) -> None:
    """Brings the schema to `HEAD`.

    Raises IncompatibleVersion if a newer program has been here and DataFolderError for a database of another program
    or a migration that fails; neither changes anything.
    """
    with engine.connect() as connection, connection.begin():
        found = _known_version(connection, engine)
    if found != HEAD:
        copy = None if found is None else _copy(engine, now)
        try:
            with engine.connect() as connection, connection.begin():
                dialects.hold_for_migration(connection)
                # Another program may have been here in between.
                if _known_version(connection, engine) != HEAD:
                    _upgrade(connection)
                    _name_server(connection)
        except failures.FAILURES as error:
            if copy is None:
                raise
            raise _failed(engine, found, error, copy) from None
        if copy is not None:
            log.info("the schema went from %s to %s; the database from before is kept in %s", found, HEAD, copy)
    dialects.use_wal(engine)


def current_version(connection: Connection) -> str | None:
    """The schema's version; None in an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def is_foreign(connection: Connection) -> bool:
    """True if another program made the database, or on PostgreSQL tables in it that bear names of ours."""
    names = set(inspect(connection).get_table_names())
    if not names:
        return False
    ours = metadata.tables.keys() | {"alembic_version"}
    if connection.dialect.name == "postgresql" and not names & ours:
        return False
    if not {"alembic_version", meta.name} <= names:
        return True
    try:
        with connection.begin_nested():
            return connection.execute(select(meta.c.value).where(meta.c.name == "server_id")).first() is None
    except failures.FAILURES:
        # A table of that name with other columns.
        return True


def check_known(version: str | None, masked_url: str) -> None:
    """Raises IncompatibleVersion for the schema of a newer program."""
    if version is not None and version not in KNOWN:
        raise IncompatibleVersion(
            f"the database {masked_url} was made by a newer Besom (its schema is {version}, this program knows {HEAD}) "
            "and was left as it is: upgrade Besom on this machine, or name another data folder with --data"
        )


def _known_version(connection: Connection, engine: Engine) -> str | None:
    masked = engine.url.render_as_string(hide_password=True)
    version = current_version(connection)
    if version == HEAD:
        return version
    if is_foreign(connection):
        raise DataFolderError(
            f"the database {masked} belongs to another program and was left as it is: name one of its own for Besom"
        )
    check_known(version, masked)
    return version


def _copy(engine: Engine, now: float) -> Path | None:
    """A copy of an SQLite file beside itself; PostgreSQL undoes whatever a migration has not finished."""
    if engine.dialect.name != "sqlite":
        return None
    raw = engine.raw_connection()
    try:
        return copies.copy_before(raw.dbapi_connection, Path(str(engine.url.database)), HEAD, now)
    except (OSError, sqlite3.Error) as error:
        raise DataFolderError(
            f"the database {engine.url.database} cannot be copied beside itself ({error}) before its schema is brought "
            f"to {HEAD}, and was left as it is: make room for a second one"
        ) from None
    finally:
        raw.close()


def _failed(engine: Engine, version: str | None, error: Exception, copy: Path) -> DataFolderError:
    return DataFolderError(
        f"the database {engine.url.database} could not be brought from schema {version} to {HEAD} "
        f"({failures.reason(error, engine.url)}) and was left as it is; a copy from before is {copy}"
    )


def _name_server(connection: Connection) -> None:
    if connection.execute(select(meta).where(meta.c.name == "server_id")).first() is None:
        connection.execute(insert(meta).values(name="server_id", value=new_id(16)))


def _upgrade(connection: Connection) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    script = ScriptDirectory(str(FOLDER), version_locations=[str(FOLDER)])
    with EnvironmentContext(config, script, fn=lambda now, _: script._upgrade_revs(HEAD, now)) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()
