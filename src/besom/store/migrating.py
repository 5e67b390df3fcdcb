"""Bringing the schema up to date when a program opens a database.

Under a lock, so that two programs that start at once do it once; an SQLite file with anything in it is copied beside
itself first. Alembic is loaded only when there is something to do.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, insert, inspect, select, text

from besom.common.ids import new_id
from besom.errors import IncompatibleVersion
from besom.store import dialects
from besom.store.migrations import HEAD, KNOWN
from besom.store.tables import meta

FOLDER = Path(__file__).parent / "migrations"


def migrate(engine: Engine, now: float) -> None:
    """Brings the schema to `HEAD`; raises IncompatibleVersion if a newer program has been here."""
    dialects.copy_if_older(engine, HEAD, now)
    with engine.connect() as connection, connection.begin():
        _hold_lock(connection)
        version = current_version(connection)
        if version != HEAD:
            _check_known(version, engine)
            _upgrade(connection)
            if connection.execute(select(meta).where(meta.c.name == "server_id")).first() is None:
                connection.execute(insert(meta).values(name="server_id", value=new_id(16)))
    dialects.use_wal(engine)


def current_version(connection: Connection) -> str | None:
    """The schema's version; None in an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _hold_lock(connection: Connection) -> None:
    # SQLite: every transaction of the writer begins with the write lock.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": dialects.WRITE_LOCK})


def _check_known(version: str | None, engine: Engine) -> None:
    if version is not None and version not in KNOWN:
        raise IncompatibleVersion(
            f"the database {engine.url.render_as_string(hide_password=True)} was made by a newer Besom "
            f"(its schema is {version}, this program knows {HEAD}): upgrade Besom on this machine"
        )


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
