"""The schema. Ids are whole numbers inside, short random text (``uid``) outside; times are seconds since 1970 (UTC).

One table a noun; the counters on `sweep` are kept with every move of a run, so that a hand-out never counts runs.
Streams, not runs, own bytes: ``stream → tail → chunk`` and ``stream → console``.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from besom.common.json_numbers import dumps
from besom.engine.states import RUN_STATES


def storable(text: str) -> str:
    """The text without what one of the two databases refuses: NUL characters and lone surrogates."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "�").encode("utf-8", "replace").decode("utf-8")


class Words(TypeDecorator[str]):
    """Text that somebody outside wrote."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Makes the text storable."""
        return None if value is None else storable(value)


def _as_json(value: Any) -> str:
    try:
        text = msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError):
        return dumps(value)
    # It is several times as fast, but writes null for a NaN and an infinity.
    return dumps(value) if b"null" in text else text.decode()


class Json(TypeDecorator[Any]):
    """A JSON value as text, the same on both databases; non-finite numbers become words."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Writes strict JSON."""
        return None if value is None else storable(_as_json(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Reads it back."""
        if value == "{}":
            return {}
        if value == "[]":
            return []
        return None if value is None else json.loads(value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_Id = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Column[Any]:
    return Column("id", _Id, primary_key=True)


def _of(other: str, *, null: bool = False, index: bool = False, key: bool = False) -> Column[Any]:
    """A reference to a row that this row goes with."""
    return Column(
        f"{other}_id",
        _Id,
        ForeignKey(f"{other}.id", ondelete="SET NULL" if null and other == "agent" else "CASCADE"),
        nullable=null,
        index=index,
        primary_key=key,
        autoincrement=False,
    )


def _text(name: str, *, null: bool = False, **more: Any) -> Column[Any]:
    return Column(name, Words, nullable=null, **more)


def _time(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, Float(53), nullable=null)


def _count(name: str) -> Column[Any]:
    return Column(name, BigInteger, nullable=False, default=0, server_default="0")


def _flag(name: str) -> Column[Any]:
    return Column(name, Integer, nullable=False, default=0, server_default="0")


meta = Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

project = Table(
    "project",
    metadata,
    _id(),
    _text("entity"),
    _text("name"),
    _time("created"),
    UniqueConstraint("entity", "name"),
)

sweep = Table(
    "sweep",
    metadata,
    _id(),
    _text("uid", unique=True),
    _of("project", index=True),
    _text("request_id", unique=True),
    _text("name"),
    _text("description"),
    Column("state", Text, nullable=False),
    _text("ended_reason", null=True),
    _text("method"),
    Column("metric", Json),
    Column("retry", Json, nullable=False),
    _text("program", null=True),
    Column("notes", Json, nullable=False),
    Column("run_cap", BigInteger),
    _time("time_cap_s", null=True),
    _time("compute_cap_s", null=True),
    Column("plateau_runs", BigInteger),
    _time("deadline", null=True),
    Column("seed", BigInteger, nullable=False),
    Column("size", BigInteger),
    _count("next_number"),
    _count("created_runs"),
    _count("waiting"),
    # The run time of attempts that have ended, and how many runs have ended since the best of them.
    _count("run_time_ms"),
    _count("since_best"),
    *(_count(f"n_{state}") for state in RUN_STATES),
    _time("first_started", null=True),
    _count("version"),
    _time("created"),
    _time("updated"),
    _time("ended", null=True),
)

# What a sweep was made of, which may be long: SQLite writes the whole row of a counter anew.
sweep_file = Table(
    "sweep_file",
    metadata,
    _of("sweep", key=True),
    Column("config", Json, nullable=False),
    _text("config_text"),
)

agent = Table(
    "agent",
    metadata,
    _id(),
    _text("uid", unique=True),
    _of("sweep", index=True),
    _text("host"),
    Column("pid", BigInteger, nullable=False),
    _text("process_started"),
    _text("boot_id"),
    Column("slots", BigInteger, nullable=False),
    _text("version"),
    Column("state", Text, nullable=False),
    _flag("off_now"),
    _count("done"),
    _count("failed"),
    _text("last_error", null=True),
    _time("started"),
    _time("seen"),
    _time("ended", null=True),
    _text("ended_reason", null=True),
    Index("ix_agent_state", "state"),
)

# What few rows have at a time is kept in an index of these rows alone: writing to the others costs nothing then.
_WAITING = text("waiting_since IS NOT NULL")
_HAS_TOKEN = text("token_hash IS NOT NULL")

run = Table(
    "run",
    metadata,
    _id(),
    _text("uid", unique=True),
    _of("project"),
    _of("sweep", null=True),
    _text("name"),
    _text("display_name"),
    _text("group_name", null=True),
    _text("job_type", null=True),
    _text("notes", null=True),
    Column("tags", Json, nullable=False),
    _text("host", null=True),
    # The draw that it came from and the identity of its params: a point is handed out to one run, whatever happens.
    Column("idx", BigInteger),
    Column("params_hash", Text),
    _flag("by_sweep"),
    Column("params", Json, nullable=False),
    Column("config", Json, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", BigInteger, nullable=False),
    _time("waiting_since", null=True),
    Column("stop_wanted", Text),
    _text("stop_reason", null=True),
    # The score, the same turned so that smaller is better, and that again only while the run's state is ranked.
    Column("score", Float(53)),
    Column("loss", Float(53)),
    Column("rank_loss", Float(53)),
    Column("warnings", Json, nullable=False),
    Column("reads", Json),
    _text("error", null=True),
    _time("created"),
    _time("started", null=True),
    _time("ended", null=True),
    _time("progress_told", null=True),
    Column("extra", Json),
    UniqueConstraint("project_id", "name"),
    UniqueConstraint("sweep_id", "idx"),
    UniqueConstraint("sweep_id", "params_hash"),
    Index("ix_run_sweep_state", "sweep_id", "state"),
    Index("ix_run_sweep_rank", "sweep_id", "rank_loss", "id"),
    Index("ix_run_project_rank", "project_id", "rank_loss", "id"),
    Index("ix_run_waiting", "sweep_id", "waiting_since", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
)

# Points that a sweep must not hand out although none of its runs stands there: runs that were there before the sweep
# (`prior`), and runs that were removed.
tried = Table(
    "tried",
    metadata,
    _of("sweep", key=True),
    Column("params_hash", Text, primary_key=True),
    Column("why", Text, nullable=False),
    _text("run_uid", null=True),
    Column("params", Json, nullable=False),
    sqlite_with_rowid=False,
)

attempt = Table(
    "attempt",
    metadata,
    _id(),
    _of("run"),
    Column("number", BigInteger, nullable=False),
    _of("agent", null=True),
    Column("slot", BigInteger),
    Column("state", Text, nullable=False),
    _time("lease_until"),
    _time("started"),
    _time("ended", null=True),
    Column("exit_code", BigInteger),
    Column("signal", BigInteger),
    _text("error", null=True),
    _text("host", null=True),
    _flag("preempting"),
    _flag("has_rows"),
    Column("base_step", BigInteger),
    Column("summary_set", Json, nullable=False),
    Column("defines", Json, nullable=False),
    Column("script_exit", BigInteger),
    _text("script_error", null=True),
    # The ask that it was the answer to, and the hash of its token while it lives.
    _text("request_id", null=True, unique=True),
    Column("token_hash", Text),
    UniqueConstraint("run_id", "number"),
    Index("ix_attempt_lease", "state", "lease_until"),
    Index("ix_attempt_agent", "agent_id", "state"),
    Index("ix_attempt_token", "token_hash", unique=True, sqlite_where=_HAS_TOKEN, postgresql_where=_HAS_TOKEN),
)

stream = Table(
    "stream",
    metadata,
    _id(),
    _of("attempt"),
    _text("writer"),
    Column("kind", Text, nullable=False),
    _count("next_offset"),
    # What a reader of the spool format must remember between two pieces.
    Column("kinds", Json, nullable=False),
    Column("rest", LargeBinary, nullable=False),
    _flag("begun"),
    _text("broken", null=True),
    _count("tail_rows"),
    # Its attempt has ended, and its tail waits to become columns.
    _flag("is_due"),
    UniqueConstraint("attempt_id", "writer", "kind"),
    Index("ix_stream_due", "is_due", sqlite_where=text("is_due = 1"), postgresql_where=text("is_due = 1")),
)

key = Table(
    "key",
    metadata,
    _id(),
    _of("project"),
    _text("name"),
    UniqueConstraint("project_id", "name"),
)

summary = Table(
    "summary",
    metadata,
    _of("run", key=True),
    _of("key", key=True),
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
    _of("stream", key=True),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
    Column("step0", BigInteger, nullable=False),
    Column("step1", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

chunk = Table(
    "chunk",
    metadata,
    _id(),
    _of("stream"),
    _of("key", null=True),
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
    _of("stream", key=True),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

event = Table(
    "event",
    metadata,
    _id(),
    _time("at"),
    _text("sweep_uid", null=True),
    _text("run_uid", null=True),
    Column("kind", Text, nullable=False),
    Column("data", Json, nullable=False),
    Index("ix_event_sweep", "sweep_uid", "id"),
    sqlite_autoincrement=True,
)

observation = Table(
    "observation",
    metadata,
    _of("run", key=True),
    # What the rung measures (`Stopper.track`): a count of values, or a logged key.
    _text("track", primary_key=True),
    Column("rung", BigInteger, primary_key=True, autoincrement=False),
    _of("sweep"),
    Column("step", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("value", Float(53), nullable=False),
    Column("best", Float(53), nullable=False),
    Column("mean", Float(53), nullable=False),
    # By each of them a run is compared with the others at a rung: one step along an index, however many they are.
    *(Index(f"ix_observation_{name}", "sweep_id", "track", "rung", name) for name in ("value", "best", "mean")),
    sqlite_with_rowid=False,
)

file = Table(
    "file",
    metadata,
    _id(),
    _of("run"),
    _text("path"),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text),
    Column("state", Text, nullable=False),
    UniqueConstraint("run_id", "path"),
)

token = Table(
    "token",
    metadata,
    _id(),
    Column("hash", Text, nullable=False, unique=True),
    _text("name"),
    Column("scope", Text, nullable=False),
    _text("entity"),
    _time("created"),
    _time("expires", null=True),
    Column("revoked", Boolean, nullable=False, default=False),
)
