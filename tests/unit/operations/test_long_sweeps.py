"""Sweep files with very many values: kept once, found again, and left out of lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from besom.operations import searchers
from besom.store import sweeps as stored
from besom.wire.agents import HandOut

COUNT = 20_000


def long_sweep(hand: Any, first: int = 0) -> str:
    values = ", ".join(str(first + number) for number in range(COUNT))
    return str(hand.sweep(f"method: grid\nprogram: t.py\nparameters:\n  x: {{values: [{values}]}}\n"))


def test_its_points_are_handed_out_in_order(sqlite_hand: Any) -> None:
    agent = sqlite_hand.agent(long_sweep(sqlite_hand))
    assert [sqlite_hand.take(agent).params for _ in range(3)] == [{"x": 0}, {"x": 1}, {"x": 2}]


def test_lists_leave_its_config_out_and_its_own_answer_has_it(sqlite_hand: Any) -> None:
    sweep, short = long_sweep(sqlite_hand), sqlite_hand.sweep()

    listed = {each.id: each for each in sqlite_hand.database.read_now(stored.answers)}

    assert (listed[sweep].config, listed[sweep].config_text, listed[sweep].grid_size) == (None, "", COUNT)
    assert listed[short].config["method"] == "grid"
    assert listed[short].config_text.lstrip().startswith("method: grid")
    assert len(sqlite_hand.state(sweep).config["parameters"]["x"]["values"]) == COUNT


def test_what_was_read_to_make_it_is_not_read_again(sqlite_hand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = long_sweep(sqlite_hand)
    monkeypatch.setattr(searchers, "read_sweep_config", None)
    assert sqlite_hand.take(sqlite_hand.agent(sweep)).params == {"x": 0}


def test_the_values_kept_in_memory_are_bounded(sqlite_hand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searchers, "MOST_LISTED_VALUES", COUNT)
    made = [sqlite_hand.agent(long_sweep(sqlite_hand, first)) for first in (0, 100_000, 200_000)]
    kept = searchers._living[sqlite_hand.database.engine]
    assert len(kept) == 1

    taken = [sqlite_hand.claim(agent) for agent in made]

    assert [answer.params["x"] for answer in taken if isinstance(answer, HandOut)] == [0, 100_000, 200_000]
    assert len(kept) == 1


def test_a_hand_out_does_not_write_the_config_anew(sqlite_hand: Any) -> None:
    log = Path(f"{sqlite_hand.database.engine.url.database}-wal")

    def written(agent: str) -> int:
        sqlite_hand.take(agent)
        before = log.stat().st_size
        for _ in range(5):
            sqlite_hand.take(agent)
        return log.stat().st_size - before

    short, long = (written(sqlite_hand.agent(sweep)) for sweep in (sqlite_hand.sweep(), long_sweep(sqlite_hand)))
    assert 0 < long < 2 * short
