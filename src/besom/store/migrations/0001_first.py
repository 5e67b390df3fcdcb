"""The first schema: sweeps, runs, attempts, streams, tokens, events.

Why: everything that is hard to change later is here whole, even where only later work uses it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", sa.Float(precision=53), nullable=False),
        sa.Column("sweep_uid", sa.Text(), nullable=True),
        sa.Column("run_uid", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_sweep", "event", ["sweep_uid", "id"], unique=False)
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "project",
        sa.Column("id", ID, nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sa.UniqueConstraint("entity", "name", name=op.f("uq_project_entity_name")),
    )
    op.create_table(
        "key",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_key_project_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_key_project_id_name")),
    )
    op.create_table(
        "sweep",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("project_id", ID, autoincrement=False, nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=True),
        sa.Column("retry", sa.Text(), nullable=False),
        sa.Column("program", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("run_cap", sa.BigInteger(), nullable=True),
        sa.Column("time_cap_s", sa.Float(precision=53), nullable=True),
        sa.Column("deadline", sa.Float(precision=53), nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("next_number", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_runs", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("waiting", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("n_queued", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("n_running", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("n_finished", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("n_stopped", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("n_killed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("n_failed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("n_crashed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("n_preempted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("first_started", sa.Float(precision=53), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created", sa.Float(precision=53), nullable=False),
        sa.Column("updated", sa.Float(precision=53), nullable=False),
        sa.Column("ended", sa.Float(precision=53), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_sweep_project_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sweep")),
        sa.UniqueConstraint("request_id", name=op.f("uq_sweep_request_id")),
        sa.UniqueConstraint("uid", name=op.f("uq_sweep_uid")),
    )
    op.create_index(op.f("ix_sweep_project_id"), "sweep", ["project_id"], unique=False)
    op.create_table(
        "sweep_file",
        sa.Column("sweep_id", ID, autoincrement=False, nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("config_text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweep.id"], name=op.f("fk_sweep_file_sweep_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sweep_id", name=op.f("pk_sweep_file")),
    )
    op.create_table(
        "agent",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("sweep_id", ID, autoincrement=False, nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("process_started", sa.Text(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("slots", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("off_now", sa.Integer(), server_default="0", nullable=False),
        sa.Column("done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("started", sa.Float(precision=53), nullable=False),
        sa.Column("seen", sa.Float(precision=53), nullable=False),
        sa.Column("ended", sa.Float(precision=53), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweep.id"], name=op.f("fk_agent_sweep_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent")),
        sa.UniqueConstraint("uid", name=op.f("uq_agent_uid")),
    )
    op.create_index("ix_agent_state", "agent", ["state"], unique=False)
    op.create_index(op.f("ix_agent_sweep_id"), "agent", ["sweep_id"], unique=False)
    op.create_table(
        "run",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("project_id", ID, autoincrement=False, nullable=False),
        sa.Column("sweep_id", ID, autoincrement=False, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("group_name", sa.Text(), nullable=True),
        sa.Column("job_type", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("idx", sa.BigInteger(), nullable=True),
        sa.Column("params_hash", sa.Text(), nullable=True),
        sa.Column("by_sweep", sa.Integer(), server_default="0", nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("waiting_since", sa.Float(precision=53), nullable=True),
        sa.Column("stop_wanted", sa.Text(), nullable=True),
        sa.Column("stop_reason", sa.Text(), nullable=True),
        sa.Column("score", sa.Float(precision=53), nullable=True),
        sa.Column("loss", sa.Float(precision=53), nullable=True),
        sa.Column("rank_loss", sa.Float(precision=53), nullable=True),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.Column("reads", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created", sa.Float(precision=53), nullable=False),
        sa.Column("started", sa.Float(precision=53), nullable=True),
        sa.Column("ended", sa.Float(precision=53), nullable=True),
        sa.Column("progress_told", sa.Float(precision=53), nullable=True),
        sa.Column("extra", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_run_project_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweep.id"], name=op.f("fk_run_sweep_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_run_project_id_name")),
        sa.UniqueConstraint("sweep_id", "idx", name=op.f("uq_run_sweep_id_idx")),
        sa.UniqueConstraint("sweep_id", "params_hash", name=op.f("uq_run_sweep_id_params_hash")),
        sa.UniqueConstraint("uid", name=op.f("uq_run_uid")),
    )
    op.create_index("ix_run_project_rank", "run", ["project_id", "rank_loss", "id"], unique=False)
    op.create_index("ix_run_sweep_rank", "run", ["sweep_id", "rank_loss", "id"], unique=False)
    op.create_index("ix_run_sweep_state", "run", ["sweep_id", "state"], unique=False)
    waiting = sa.text("waiting_since IS NOT NULL")
    op.create_index(
        "ix_run_waiting", "run", ["sweep_id", "waiting_since", "id"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_table(
        "tried",
        sa.Column("sweep_id", ID, autoincrement=False, nullable=False),
        sa.Column("params_hash", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("run_uid", sa.Text(), nullable=True),
        sa.Column("params", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweep.id"], name=op.f("fk_tried_sweep_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sweep_id", "params_hash", name=op.f("pk_tried")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "attempt",
        sa.Column("id", ID, nullable=False),
        sa.Column("run_id", ID, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", ID, autoincrement=False, nullable=True),
        sa.Column("slot", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("lease_until", sa.Float(precision=53), nullable=False),
        sa.Column("started", sa.Float(precision=53), nullable=False),
        sa.Column("ended", sa.Float(precision=53), nullable=True),
        sa.Column("exit_code", sa.BigInteger(), nullable=True),
        sa.Column("signal", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("preempting", sa.Integer(), server_default="0", nullable=False),
        sa.Column("has_rows", sa.Integer(), server_default="0", nullable=False),
        sa.Column("base_step", sa.BigInteger(), nullable=True),
        sa.Column("summary_set", sa.Text(), nullable=False),
        sa.Column("defines", sa.Text(), nullable=False),
        sa.Column("script_exit", sa.BigInteger(), nullable=True),
        sa.Column("script_error", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("token_hash", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_attempt_agent_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_attempt_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sa.UniqueConstraint("request_id", name=op.f("uq_attempt_request_id")),
        sa.UniqueConstraint("run_id", "number", name=op.f("uq_attempt_run_id_number")),
    )
    op.create_index("ix_attempt_agent", "attempt", ["agent_id", "state"], unique=False)
    op.create_index("ix_attempt_lease", "attempt", ["state", "lease_until"], unique=False)
    has_token = sa.text("token_hash IS NOT NULL")
    op.create_index(
        "ix_attempt_token", "attempt", ["token_hash"], unique=True, sqlite_where=has_token, postgresql_where=has_token
    )
    op.create_table(
        "file",
        sa.Column("id", ID, nullable=False),
        sa.Column("run_id", ID, autoincrement=False, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_file_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file")),
        sa.UniqueConstraint("run_id", "path", name=op.f("uq_file_run_id_path")),
    )
    op.create_table(
        "observation",
        sa.Column("run_id", ID, autoincrement=False, nullable=False),
        sa.Column("rung", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sweep_id", ID, autoincrement=False, nullable=False),
        sa.Column("value", sa.Float(precision=53), nullable=False),
        sa.Column("best", sa.Float(precision=53), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_observation_run_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweep.id"], name=op.f("fk_observation_sweep_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "rung", name=op.f("pk_observation")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_observation_rung", "observation", ["sweep_id", "rung"], unique=False)
    op.create_table(
        "summary",
        sa.Column("run_id", ID, autoincrement=False, nullable=False),
        sa.Column("key_id", ID, autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.Float(precision=53), nullable=False),
        sa.Column("min", sa.Float(precision=53), nullable=True),
        sa.Column("min_step", sa.BigInteger(), nullable=True),
        sa.Column("max", sa.Float(precision=53), nullable=True),
        sa.Column("max_step", sa.BigInteger(), nullable=True),
        sa.Column("nan_count", sa.BigInteger(), nullable=False),
        sa.Column("nan_run", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.Float(precision=53), nullable=True),
        sa.Column("last_finite", sa.Float(precision=53), nullable=True),
        sa.Column("last", sa.Float(precision=53), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.Column("other", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["key_id"], ["key.id"], name=op.f("fk_summary_key_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_summary_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "key_id", name=op.f("pk_summary")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "token",
        sa.Column("id", ID, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("created", sa.Float(precision=53), nullable=False),
        sa.Column("expires", sa.Float(precision=53), nullable=True),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("hash", name=op.f("uq_token_hash")),
    )
    op.create_table(
        "stream",
        sa.Column("id", ID, nullable=False),
        sa.Column("attempt_id", ID, autoincrement=False, nullable=False),
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("rest", sa.LargeBinary(), nullable=False),
        sa.Column("begun", sa.Integer(), server_default="0", nullable=False),
        sa.Column("broken", sa.Text(), nullable=True),
        sa.Column("tail_rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("is_due", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_stream_attempt_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stream")),
        sa.UniqueConstraint("attempt_id", "writer", "kind", name=op.f("uq_stream_attempt_id_writer_kind")),
    )
    due = sa.text("is_due = 1")
    op.create_index("ix_stream_due", "stream", ["is_due"], sqlite_where=due, postgresql_where=due)
    op.create_table(
        "chunk",
        sa.Column("id", ID, nullable=False),
        sa.Column("stream_id", ID, autoincrement=False, nullable=False),
        sa.Column("key_id", ID, autoincrement=False, nullable=True),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("step0", sa.BigInteger(), nullable=False),
        sa.Column("step1", sa.BigInteger(), nullable=False),
        sa.Column("min", sa.Float(precision=53), nullable=True),
        sa.Column("max", sa.Float(precision=53), nullable=True),
        sa.Column("coarse", sa.LargeBinary(), nullable=True),
        sa.Column("steps", sa.LargeBinary(), nullable=False),
        sa.Column("vals", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["key.id"], name=op.f("fk_chunk_key_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name=op.f("fk_chunk_stream_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chunk")),
        sa.UniqueConstraint(
            "stream_id", "offset", "key_id", "form", name=op.f("uq_chunk_stream_id_offset_key_id_form")
        ),
    )
    op.create_index("ix_chunk_steps", "chunk", ["stream_id", "key_id", "step1", "step0"], unique=False)
    op.create_table(
        "console",
        sa.Column("stream_id", ID, autoincrement=False, nullable=False),
        sa.Column("offset", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name=op.f("fk_console_stream_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("stream_id", "offset", name=op.f("pk_console")),
    )
    op.create_table(
        "tail",
        sa.Column("stream_id", ID, autoincrement=False, nullable=False),
        sa.Column("offset", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("step0", sa.BigInteger(), nullable=False),
        sa.Column("step1", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name=op.f("fk_tail_stream_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("stream_id", "offset", name=op.f("pk_tail")),
    )
    if op.get_bind().dialect.name == "postgresql":
        # These are compressed already.
        for table, column in (
            ("tail", "data"),
            ("chunk", "steps"),
            ("chunk", "vals"),
            ("chunk", "coarse"),
            ("console", "data"),
        ):
            op.execute(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" SET STORAGE EXTERNAL')
