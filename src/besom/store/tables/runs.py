"""Runs and their attempts, what they showed at rungs, their files."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Table, Text, UniqueConstraint, text

from besom.store.tables.schema import Json, belongs_to, flag, metadata, own_id, seconds, words

# What few rows have at a time is kept in an index of these rows alone: writing to the others costs nothing then.
_WAITING = text("waiting_since IS NOT NULL")
_HAS_TOKEN = text("token_hash IS NOT NULL")

run = Table(
    "run",
    metadata,
    own_id(),
    words("uid", unique=True),
    belongs_to("project"),
    belongs_to("sweep", null=True),
    words("name"),
    words("display_name"),
    words("group_name", null=True),
    words("job_type", null=True),
    words("notes", null=True),
    Column("tags", Json, nullable=False),
    words("host", null=True),
    # The draw that it came from and the identity of its params: a point is handed out to one run, whatever happens.
    Column("idx", BigInteger),
    Column("params_hash", Text),
    flag("by_sweep"),
    Column("params", Json, nullable=False),
    Column("config", Json, nullable=False),
    # Why its sweep's model has chosen the params (`SearchInfo`).
    Column("search_info", Json),
    Column("state", Text, nullable=False),
    Column("attempt", BigInteger, nullable=False),
    seconds("waiting_since", null=True),
    Column("stop_wanted", Text),
    words("stop_reason", null=True),
    # The score, the same turned so that smaller is better, and that again only while the run's state is ranked.
    Column("score", Float(53)),
    Column("loss", Float(53)),
    Column("rank_loss", Float(53)),
    Column("warnings", Json, nullable=False),
    Column("reads", Json),
    words("error", null=True),
    seconds("created"),
    seconds("started", null=True),
    seconds("ended", null=True),
    seconds("progress_told", null=True),
    Column("extra", Json),
    UniqueConstraint("project_id", "name"),
    UniqueConstraint("sweep_id", "idx"),
    UniqueConstraint("sweep_id", "params_hash"),
    Index("ix_run_sweep_state", "sweep_id", "state"),
    Index("ix_run_sweep_rank", "sweep_id", "rank_loss", "id"),
    Index("ix_run_project_rank", "project_id", "rank_loss", "id"),
    Index("ix_run_waiting", "sweep_id", "waiting_since", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
)

attempt = Table(
    "attempt",
    metadata,
    own_id(),
    belongs_to("run"),
    Column("number", BigInteger, nullable=False),
    belongs_to("agent", null=True),
    Column("slot", BigInteger),
    Column("state", Text, nullable=False),
    seconds("lease_until"),
    seconds("started"),
    seconds("ended", null=True),
    Column("exit_code", BigInteger),
    Column("signal", BigInteger),
    words("error", null=True),
    words("host", null=True),
    flag("preempting"),
    flag("has_rows"),
    Column("base_step", BigInteger),
    Column("summary_set", Json, nullable=False),
    Column("defines", Json, nullable=False),
    Column("script_exit", BigInteger),
    words("script_error", null=True),
    # The ask that it was the answer to, and the hash of its token while it lives.
    words("request_id", null=True, unique=True),
    Column("token_hash", Text),
    UniqueConstraint("run_id", "number"),
    Index("ix_attempt_lease", "state", "lease_until"),
    Index("ix_attempt_agent", "agent_id", "state"),
    Index("ix_attempt_token", "token_hash", unique=True, sqlite_where=_HAS_TOKEN, postgresql_where=_HAS_TOKEN),
)

observation = Table(
    "observation",
    metadata,
    belongs_to("run", key=True),
    # What the rung measures (`Stopper.track`): a count of values, or a logged key.
    words("track", primary_key=True),
    Column("rung", BigInteger, primary_key=True, autoincrement=False),
    belongs_to("sweep"),
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
    own_id(),
    belongs_to("run"),
    words("path"),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text),
    Column("state", Text, nullable=False),
    UniqueConstraint("run_id", "path"),
)
