"""Projects, their sweeps, the agents that work on them, points made ahead, points that they must not hand out."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text, UniqueConstraint

from besom.engine.states import RUN_STATES
from besom.store.tables.schema import Json, belongs_to, count, flag, metadata, own_id, seconds, words

project = Table(
    "project",
    metadata,
    own_id(),
    words("entity"),
    words("name"),
    seconds("created"),
    UniqueConstraint("entity", "name"),
)

sweep = Table(
    "sweep",
    metadata,
    own_id(),
    words("uid", unique=True),
    belongs_to("project", index=True),
    words("request_id", unique=True),
    words("name"),
    words("description"),
    Column("state", Text, nullable=False),
    words("ended_reason", null=True),
    words("method"),
    Column("metric", Json),
    Column("retry", Json, nullable=False),
    words("program", null=True),
    Column("notes", Json, nullable=False),
    Column("run_cap", BigInteger),
    seconds("time_cap_s", null=True),
    seconds("compute_cap_s", null=True),
    Column("plateau_runs", BigInteger),
    seconds("deadline", null=True),
    Column("seed", BigInteger, nullable=False),
    Column("size", BigInteger),
    count("next_number"),
    count("created_runs"),
    count("waiting"),
    # The run time of attempts that have ended, and how many runs have ended well since the best of them.
    count("run_time_ms"),
    count("since_best"),
    *(count(f"n_{state}") for state in RUN_STATES),
    seconds("first_started", null=True),
    count("version"),
    seconds("created"),
    seconds("updated"),
    seconds("ended", null=True),
)

# What a sweep was made of, which may be long: SQLite writes the whole row of a counter anew.
sweep_file = Table(
    "sweep_file",
    metadata,
    belongs_to("sweep", key=True),
    Column("config", Json, nullable=False),
    words("config_text"),
)

agent = Table(
    "agent",
    metadata,
    own_id(),
    words("uid", unique=True),
    belongs_to("sweep", index=True),
    words("host"),
    Column("pid", BigInteger, nullable=False),
    words("process_started"),
    words("boot_id"),
    Column("slots", BigInteger, nullable=False),
    words("version"),
    Column("state", Text, nullable=False),
    flag("off_now"),
    count("done"),
    count("failed"),
    words("last_error", null=True),
    seconds("started"),
    seconds("seen"),
    seconds("ended", null=True),
    words("ended_reason", null=True),
    Index("ix_agent_state", "state"),
)

# Points that a sweep must not hand out although none of its runs stands there: runs that were there before the sweep
# (`prior`), and runs that were removed.
tried = Table(
    "tried",
    metadata,
    belongs_to("sweep", key=True),
    Column("params_hash", Text, primary_key=True),
    Column("why", Text, nullable=False),
    words("run_uid", null=True),
    Column("params", Json, nullable=False),
    sqlite_with_rowid=False,
)

# Draws whose params were chosen ahead, for the methods that look at results: what is not handed out may be dropped at
# any time. No params: the space was exhausted. `finished_seen` is how many runs had ended when it was made.
suggestion = Table(
    "suggestion",
    metadata,
    belongs_to("sweep", key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("params", Json),
    Column("params_hash", Text),
    Column("info", Json, nullable=False),
    Column("finished_seen", BigInteger, nullable=False),
    seconds("made"),
    sqlite_with_rowid=False,
)
