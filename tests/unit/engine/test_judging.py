from __future__ import annotations

import math
from collections.abc import Sequence

from besom.engine.folding import Fold
from besom.engine.judging import RungWatch, judge
from besom.metric import Metric
from besom.stopping import RungValue, Stop


class EveryThird:
    """A rule that looks at every third value and stops what is above 1."""

    def is_rung(self, count: int) -> bool:
        return count > 0 and count % 3 == 0

    def rungs(self, most: int) -> list[int]:
        return [3 * number for number in range(1, most + 1)]

    def judge(self, rung: int, mine: RungValue, peers: Sequence[RungValue]) -> Stop | None:
        return Stop(f"{mine.value} of {len(peers)} is above 1") if mine.value > 1 else None


def watch(values: list[tuple[int, float]], goal: str = "minimize") -> dict[int, RungValue | None]:
    rungs = RungWatch(Metric("loss", goal=goal), [EveryThird()])
    fold = Fold()
    for step, value in values:
        rungs.take(fold, step, value)
    return rungs.touched


def test_a_rung_is_reached_by_the_count_of_finite_values() -> None:
    values = [(0, 5.0), (1, math.nan), (2, 1.0), (10, 2.0), (11, 9.0)]
    assert watch(values) == {3: RungValue(2.0, 1.0)}


def test_the_best_at_a_rung_follows_the_goal() -> None:
    assert watch([(0, 5.0), (1, 1.0), (2, 2.0)], "maximize") == {3: RungValue(2.0, 5.0)}


def test_a_row_logged_again_changes_its_rung_and_makes_no_other() -> None:
    assert watch([(0, 5.0), (1, 1.0), (2, 2.0), (2, 4.0)]) == {3: RungValue(4.0, 1.0)}


def test_a_row_logged_again_without_a_finite_value_leaves_its_rung() -> None:
    assert watch([(0, 5.0), (1, 1.0), (2, 2.0), (2, math.nan)]) == {3: None}


def test_several_rungs_in_one_piece_are_all_there() -> None:
    assert set(watch([(step, 1.0) for step in range(7)])) == {3, 6}


def test_a_verdict_comes_from_a_rule_that_looks_at_the_rung() -> None:
    mine = RungValue(2.0, 2.0)
    assert judge([EveryThird()], 3, mine, lambda: [mine]) == Stop("2.0 of 1 is above 1")
    assert judge([EveryThird()], 4, mine, lambda: [mine]) is None
    assert judge([EveryThird()], 3, RungValue(0.5, 0.5), lambda: [mine]) is None
