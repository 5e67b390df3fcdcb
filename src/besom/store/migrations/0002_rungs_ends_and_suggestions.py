"""Rungs that a logged key measures, sweeps that end by run time or on a plateau, draws whose params are made ahead.

Why: a run may stand at rung 9 of its values and at rung 9 of its epochs, so a rung has the name of what it measures;
rules compare running means too; what ends a sweep is counted as it happens; and a model's choice takes longer than a
hand-out may, so that it is made before somebody asks.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("sweep", sa.Column("compute_cap_s", sa.Float(precision=53), nullable=True))
    op.add_column("sweep", sa.Column("plateau_runs", sa.BigInteger(), nullable=True))
    for name in ("run_time_ms", "since_best"):
        op.add_column("sweep", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("run", sa.Column("search_info", sa.Text(), nullable=True))
    op.create_table(
        "suggestion",
        sa.Column("sweep_id", ID, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("params", sa.Text(), nullable=True),
        sa.Column("params_hash", sa.Text(), nullable=True),
        sa.Column("info", sa.Text(), nullable=False),
        sa.Column("finished_seen", sa.BigInteger(), nullable=False),
        sa.Column("made", sa.Float(precision=53), nullable=False),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweep.id"], name=op.f("fk_suggestion_sweep_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sweep_id", "number", name=op.f("pk_suggestion")),
        sqlite_with_rowid=False,
    )
    op.execute("CREATE TABLE observation_before AS SELECT * FROM observation")
    op.drop_table("observation")
    op.create_table(
        "observation",
        sa.Column("run_id", ID, autoincrement=False, nullable=False),
        sa.Column("track", sa.Text(), nullable=False),
        sa.Column("rung", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sweep_id", ID, autoincrement=False, nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Float(precision=53), nullable=False),
        sa.Column("best", sa.Float(precision=53), nullable=False),
        sa.Column("mean", sa.Float(precision=53), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_observation_run_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweep.id"], name=op.f("fk_observation_sweep_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "track", "rung", name=op.f("pk_observation")),
        sqlite_with_rowid=False,
    )
    # Rungs were counts; which row had reached one was not kept, and no rule compared means.
    op.execute(
        "INSERT INTO observation (run_id, track, rung, sweep_id, step, length, value, best, mean) "
        "SELECT run_id, 'count', rung, sweep_id, -1, rung, value, best, value FROM observation_before"
    )
    op.drop_table("observation_before")
    for name in ("value", "best", "mean"):
        op.create_index(f"ix_observation_{name}", "observation", ["sweep_id", "track", "rung", name], unique=False)
