"""The server's own: facts about the database, what it tells readers, who may ask."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Table, Text

from besom.store.tables.schema import Json, metadata, own_id, seconds, words

meta = Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

event = Table(
    "event",
    metadata,
    own_id(),
    seconds("at"),
    words("sweep_uid", null=True),
    words("run_uid", null=True),
    Column("kind", Text, nullable=False),
    Column("data", Json, nullable=False),
    Index("ix_event_sweep", "sweep_uid", "id"),
    sqlite_autoincrement=True,
)

token = Table(
    "token",
    metadata,
    own_id(),
    Column("hash", Text, nullable=False, unique=True),
    words("name"),
    Column("scope", Text, nullable=False),
    words("entity"),
    seconds("created"),
    seconds("expires", null=True),
    Column("revoked", Boolean, nullable=False, default=False),
)
