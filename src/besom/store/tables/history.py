"""What runs logged, as bytes and in sums. Streams own bytes: ``stream → tail → chunk``, ``stream → console``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, LargeBinary, Table, Text, UniqueConstraint, text

from besom.store.tables.schema import Json, belongs_to, count, flag, metadata, own_id, words

stream = Table(
    "stream",
    metadata,
    own_id(),
    belongs_to("attempt"),
    words("writer"),
    Column("kind", Text, nullable=False),
    count("next_offset"),
    # What a reader of the spool format must remember between two pieces.
    Column("kinds", Json, nullable=False),
    Column("rest", LargeBinary, nullable=False),
    flag("begun"),
    words("broken", null=True),
    count("tail_rows"),
    # Its attempt has ended, and its tail waits to become columns.
    flag("is_due"),
    UniqueConstraint("attempt_id", "writer", "kind"),
    Index("ix_stream_due", "is_due", sqlite_where=text("is_due = 1"), postgresql_where=text("is_due = 1")),
)

key = Table(
    "key",
    metadata,
    own_id(),
    belongs_to("project"),
    words("name"),
    UniqueConstraint("project_id", "name"),
)

summary = Table(
    "summary",
    metadata,
    belongs_to("run", key=True),
    belongs_to("key", key=True),
    Column("n", BigInteger, nullable=False),
    Column("total", Float(53), nullable=False),
    Column("min", Float(53)),
    Column("min_step", BigInteger),
    Column("max", Float(53)),
    Column("max_step", BigInteger),
    Column("nan_count", BigInteger, nullable=False),
    Column("nan_run", BigInteger, nullable=False),
    Column("first", Float(53)),
    Column("last_finite", Float(53)),
    Column("last", Float(53)),
    Column("last_step", BigInteger),
    Column("other", Json),
    sqlite_with_rowid=False,
)

tail = Table(
    "tail",
    metadata,
    belongs_to("stream", key=True),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
    Column("step0", BigInteger, nullable=False),
    Column("step1", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

chunk = Table(
    "chunk",
    metadata,
    own_id(),
    belongs_to("stream"),
    belongs_to("key", null=True),
    Column("offset", BigInteger, nullable=False),
    Column("form", Text, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("step0", BigInteger, nullable=False),
    Column("step1", BigInteger, nullable=False),
    Column("min", Float(53)),
    Column("max", Float(53)),
    # In front of the values: a long run's whole curve is read from these alone.
    Column("coarse", LargeBinary),
    Column("steps", LargeBinary, nullable=False),
    Column("vals", LargeBinary, nullable=False),
    UniqueConstraint("stream_id", "offset", "key_id", "form"),
    Index("ix_chunk_steps", "stream_id", "key_id", "step1", "step0"),
)

console = Table(
    "console",
    metadata,
    belongs_to("stream", key=True),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
