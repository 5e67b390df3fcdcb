from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from besom.engine.folding import Fold
from besom.engine.judging import Kept, Place, Verdict, Watch
from besom.metric import Metric
from besom.stopping import Peers, PeerValues, Seen, Stop, Stopper, make_stoppers
from besom.stopping.ladder import Ladder
from besom.stopping.rule import Rule

LOSS = Metric("loss")


class Above(Rule):
    """Stops what is above 1 at its rungs, and tells how many others were there."""

    compares = "value"

    def judge(self, rung: int, seen: Seen, mine: Mapping[int, Seen], peers: Peers) -> Stop | None:
        return Stop(f"{seen.value} at {rung} of {peers.count()}") if seen.value > 1 else None


def every_third(resource: str | None = None) -> Above:
    return Above(LOSS, Ladder(tuple(range(3, 1000, 3)), resource))


class Hand:
    """Logs rows of one run."""

    def __init__(self, *stoppers: Stopper, metric: Metric = LOSS, kept: Mapping[Place, Kept] | None = None) -> None:
        self.asked: list[int] = []
        self.folds: dict[str, Fold] = {}
        self.watch = Watch(metric, stoppers, kept or {}, self._peers)

    def _peers(self, stopper: Stopper, rung: int) -> Peers:
        self.asked.append(rung)
        return PeerValues(LOSS, [0.0] * rung)

    def log(self, step: int, **values: Any) -> Hand:
        for name in values:
            self.folds.setdefault(name, Fold())
        self.watch.take(self.folds, step, values)
        return self

    def losses(self, rows: Sequence[tuple[int, Any]]) -> Hand:
        for step, value in rows:
            self.log(step, loss=value)
        return self

    @property
    def values(self) -> dict[Place, float | None]:
        """The values that are newly kept; None for what is no longer there."""
        return {place: None if kept is None else kept.seen.value for place, kept in self.watch.changed.items()}


def test_a_rung_is_reached_by_the_count_of_finite_values() -> None:
    hand = Hand(every_third()).losses([(0, 0.5), (1, math.nan), (2, 0.25), (10, 0.75), (11, 0.9)])
    assert hand.watch.changed == {("count", 3): Kept(10, Seen(3, 0.75, 0.25, 0.5))}


def test_the_best_at_a_rung_follows_the_goal() -> None:
    hand = Hand(every_third(), metric=Metric("loss", goal="maximize")).losses([(0, 0.5), (1, 0.1), (2, 0.2)])
    assert hand.watch.changed["count", 3].seen.best == 0.5


def test_a_row_logged_again_changes_its_rung_and_is_not_judged_again() -> None:
    hand = Hand(every_third()).losses([(0, 0.5), (1, 0.1), (2, 0.2), (2, 4.0)])
    assert hand.values == {("count", 3): 4.0}
    assert (hand.asked, hand.watch.verdict) == ([3], None)


def test_a_row_logged_again_without_a_finite_value_leaves_its_rung() -> None:
    for value in (math.nan, "text"):
        hand = Hand(every_third()).losses([(0, 0.5), (1, 0.1), (2, 0.2), (2, value)])
        assert hand.values == {("count", 3): None}
        assert hand.losses([(3, 0.3)]).values == {("count", 3): 0.3}


def test_a_row_behind_others_reaches_its_rung_by_the_count() -> None:
    hand = Hand(every_third()).losses([(5, 0.5), (7, 0.1), (3, 0.2), (7, 0.4)])
    assert hand.watch.changed == {("count", 3): Kept(3, Seen(3, 0.2, 0.1, (0.5 + 0.1 + 0.2) / 3))}


def test_a_rung_that_is_known_is_neither_kept_nor_judged_again() -> None:
    known = {("count", 3): Kept(9, Seen(3, 0.7, 0.7, 0.7))}
    hand = Hand(every_third(), kept=known).losses([(step, 2.0) for step in range(3)])
    assert (hand.values, hand.asked) == ({}, [])


def test_several_rungs_in_one_piece_are_all_kept_and_judged() -> None:
    hand = Hand(every_third()).losses([(step, 0.5) for step in range(10)])
    assert set(hand.values) == {("count", 3), ("count", 6), ("count", 9)}
    assert hand.asked == [3, 6, 9]


def test_after_a_verdict_a_run_comes_to_no_other_rung() -> None:
    hand = Hand(every_third()).losses([(step, float(step)) for step in range(10)])
    assert hand.values == {("count", 3): 2.0}
    assert (hand.watch.verdict, hand.asked) == (Verdict(Stop("2.0 at 3 of 3"), 3), [3])
    assert hand.folds["loss"].count() == 10


def test_while_it_does_not_judge_it_keeps_rungs() -> None:
    hand = Hand(every_third())
    hand.watch.judging = False
    hand.losses([(0, 2.0), (1, 2.0), (2, 2.0)])
    hand.watch.judging = True
    assert (hand.values, hand.asked, hand.losses([(3, 2.0)]).watch.verdict) == ({("count", 3): 2.0}, [], None)


def test_a_resource_in_the_same_row_says_which_rung_is_reached() -> None:
    hand = Hand(every_third("epoch"))
    for step in range(10):
        hand.log(step, loss=1 - step / 100, epoch=step // 2)
    assert hand.watch.changed == {("key epoch", 3): hand.watch.changed["key epoch", 3]}
    assert hand.watch.changed["key epoch", 3].step == 6
    assert hand.watch.changed["key epoch", 3].seen.length == 7


def test_rows_without_the_metric_or_without_the_resource_reach_nothing() -> None:
    hand = Hand(every_third("epoch"))
    hand.log(0, epoch=3).log(1, loss=0.5).log(2, epoch="many", loss=0.5).log(3, epoch=math.inf, loss=0.5)
    assert hand.values == {}
    assert hand.log(4, epoch=3.5, loss=0.25).values == {("key epoch", 3): 0.25}


def test_a_row_may_come_in_several_records() -> None:
    for first, second in (({"epoch": 3}, {"loss": 0.5}), ({"loss": 0.5}, {"epoch": 3})):
        hand = Hand(every_third("epoch")).log(7, **first)
        assert hand.values == {}
        assert hand.log(7, **second).values == {("key epoch", 3): 0.5}
        assert hand.asked == [3]


def test_a_row_that_passes_several_rungs_counts_for_the_highest() -> None:
    hand = Hand(every_third("epoch")).log(0, epoch=10, loss=0.5).log(1, epoch=11, loss=0.4).log(2, epoch=8, loss=0.3)
    assert hand.values == {("key epoch", 9): 0.5, ("key epoch", 6): 0.3}


def test_a_row_logged_again_with_another_resource_moves_to_another_rung() -> None:
    hand = Hand(every_third("epoch")).log(0, epoch=3, loss=0.5).log(0, epoch=6)
    assert hand.values == {("key epoch", 3): None, ("key epoch", 6): 0.5}


def test_the_step_can_be_the_resource() -> None:
    hand = Hand(every_third("_step")).log(0, loss=0.1).log(4, loss=0.2).log(5, loss=0.3)
    assert hand.values == {("key _step", 3): 0.2}
    assert hand.watch.names == {"loss"}


def test_rules_of_one_track_share_what_is_kept() -> None:
    rules = make_stoppers([{"type": "hyperband", "min_iter": 1}, {"type": "median", "min_peers": 1}], LOSS)
    hand = Hand(*rules)
    hand.watch.judging = False
    hand.losses([(0, 0.5), (1, 0.4)])
    assert hand.values == {("count", 1): 0.5, ("count", 2): 0.4}
    hand = Hand(*rules).losses([(0, 0.5), (1, 0.4)])
    assert hand.values == {("count", 1): 0.5}
    assert hand.watch.verdict == Verdict(Stop("step 1: 0.5 is above 0, the best third of 2 runs"), 1)


def test_of_a_plateau_only_the_last_record_is_kept() -> None:
    (rule,) = make_stoppers([{"type": "plateau", "patience": 3}], LOSS)
    hand = Hand(rule).losses([(0, 5.0), (1, 4.0), (2, 4.5), (3, 4.0)])
    assert hand.values == {("record 0.0", 1): None, ("record 0.0", 2): 4.0}
    assert hand.watch.verdict is None
    known = {place: kept for place, kept in hand.watch.changed.items() if kept is not None}
    later = Hand(rule, kept=known)
    later.folds = hand.folds
    later.losses([(4, 4.2)])
    assert later.watch.verdict == Verdict(Stop("step 5: none of the last 3 values is below 4, the value at step 2"), 5)


def test_a_streak_is_judged_as_it_grows_and_without_a_rung() -> None:
    (rule,) = make_stoppers([{"type": "nan", "patience": 2}], LOSS)
    assert Hand(rule).losses([(0, math.nan), (1, math.nan), (2, 1.0), (3, math.inf)]).watch.verdict is None
    told = "the last 2 values of loss were NaN or infinite, after 1 finite value"
    assert Hand(rule).losses([(0, 1.0), (1, math.nan), (2, math.inf)]).watch.verdict == Verdict(Stop(told), None)


def test_other_keys_are_not_watched() -> None:
    assert Hand(every_third(), every_third("epoch")).watch.names == {"loss", "epoch"}
