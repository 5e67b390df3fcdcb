"""A seeded monkey kills, cuts and freezes everything while sweeps train; at the end nothing is lost or counted twice.

``BESOM_MONKEY_SEED=N`` plays another round; `bench/chaos` plays hundreds.
"""

import os

import pytest
from common.postgres import binaries
from monkey_round import play_round

# The nine faults of this one are of nine kinds.
SEED = int(os.environ.get("BESOM_MONKEY_SEED", "47072"))


@pytest.mark.slow
def test_nothing_is_lost_or_counted_twice_on_sqlite(tmp_path):
    found = play_round(tmp_path, seed=SEED, runs=24, faults=9, lease_s=3.0, gap_s=0.8, away_s=2.0, pause_s=0.05)
    assert not found.broken, f"{found.story()}\nreplay: BESOM_MONKEY_SEED={SEED} pytest {__file__}"


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.skipif(binaries() is None and os.environ.get("CI") != "true", reason="PostgreSQL is not installed")
def test_nothing_is_lost_or_counted_twice_on_postgresql(tmp_path):
    kinds = ["kill_database", "kill_server", "kill_agent", "kill_everything", "cut"]
    found = play_round(
        tmp_path, seed=SEED, runs=14, faults=6, lease_s=3.0, gap_s=0.8, rows=25, database="postgresql", kinds=kinds
    )
    assert not found.broken, f"{found.story()}\nreplay: BESOM_MONKEY_SEED={SEED} pytest {__file__}"
