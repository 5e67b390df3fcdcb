"""What every early-stopping rule must obey, whatever it looks for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise, permutations
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rungs import judged, peers_of, seen

from besom.engine.replaying import History, Row, replay
from besom.metric import Goal, Metric
from besom.stopping import RULES, HowMany, Seen, Stop, Stopper, make_stoppers

OPTIONS: Mapping[str, list[dict[str, Any]]] = {
    "hyperband": [
        {"min_iter": 1},
        {"min_iter": 3, "eta": 2.5, "strict": False},
        {"max_iter": 81, "s": 3, "min_peers": 4, "grace": 5},
    ],
    "asha": [{}, {"min_iter": 2, "eta": 4, "max_iter": 100, "min_peers": 1}, {"resource": "epoch", "strict": False}],
    "median": [{}, {"min_iter": 4, "every": 10, "min_peers": 1}, {"resource": "epoch", "grace": 2}],
    "percentile": [{}, {"percentile": 20, "min_peers": 1, "strict": True}, {"percentile": 80, "resource": "_step"}],
    "threshold": [{"upper": 1e5}, {"lower": -1e5, "grace": 3}, {"upper": 1e5, "lower": -1e5, "min_peers": 3}],
    "plateau": [{}, {"patience": 3, "min_delta": 0.5}, {"patience": 1, "min_peers": 3, "grace": 6}],
    "nan": [{}, {"patience": 1}, {"patience": 3, "min_peers": 3, "grace": 2}],
}
CASES = [(name, options, goal) for name, each in OPTIONS.items() for options in each for goal in get_args(Goal)]
COMPARING = [case for case in CASES if case[0] in ("hyperband", "asha", "median", "percentile")]


def made(case: tuple[str, Mapping[str, Any], Goal], **more: Any) -> tuple[Stopper, Metric]:
    name, options, goal = case
    metric = Metric("m", goal=goal)
    (stopper,) = make_stoppers([{"type": name, **options, **more}], metric)
    return stopper, metric


def over(cases: Sequence[tuple[str, Any, Goal]]) -> Callable[[Any], Any]:
    ids = [f"{name}-{goal}-{options}" for name, options, goal in cases]
    return pytest.mark.parametrize("case", cases, ids=ids)


every_rule, comparing_rules = over(CASES), over(COMPARING)
quick = settings(deadline=None, max_examples=20)
finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
runs_there = st.lists(st.builds(lambda value, best, mean: seen(value, best, mean), finite, finite, finite), max_size=12)


def test_every_rule_stands_under_this_contract() -> None:
    assert set(OPTIONS) == set(RULES)


# ---- rungs


@every_rule
def test_rungs_are_whole_numbers_in_rising_order(case: Any) -> None:
    stopper, _ = made(case)
    rungs = stopper.ladder.first(20)
    assert rungs[0] >= 1
    assert rungs == sorted(set(rungs))
    assert stopper.ladder.first(2) == rungs[:2]


@every_rule
def test_the_highest_rung_passed_is_found(case: Any) -> None:
    ladder = made(case)[0].ladder
    rungs = ladder.first(6)
    assert ladder.at(rungs[0] - 1) is None
    assert ladder.at(rungs[0] - 0.01) is None
    for one, following in pairwise(rungs):
        assert [ladder.at(one), ladder.at(one + 0.5), ladder.at(following - 1)] == [one] * 3
    assert ladder.at(1e15) is not None
    assert ladder.at(1e300) is not None


@every_rule
def test_no_rung_is_below_grace(case: Any) -> None:
    stopper, _ = made(case, grace=7)
    rows = [(step, 9.0 if step else 1.0) for step in range(6)]
    assert played(case, [rows] * 6, grace=7) == []
    assert stopper.explain()


@every_rule
def test_a_run_of_a_million_values_leaves_few_rows(case: Any) -> None:
    stopper, _ = made(case)
    mine: Mapping[int, Seen] = {}
    if stopper.track is not None and stopper.compares is not None:
        assert len([rung for rung in stopper.ladder.first(10**4) if rung <= 10**6]) < 80
    else:
        for count in range(1, 200):
            mine = stopper.keeps(count, seen(1 / count, length=count), mine)
        assert len(mine) <= 1


# ---- verdicts


@every_rule
@quick
@given(mine=st.builds(seen, finite, finite, finite), others=runs_there)
def test_a_verdict_is_nothing_or_a_sentence_with_the_rung(case: Any, mine: Seen, others: list[Seen]) -> None:
    stopper, metric = made(case)
    rung = stopper.ladder.first(1)[0]
    verdict = judged(stopper, metric, rung, mine, others)
    assert verdict is None or (isinstance(verdict, Stop) and str(rung) in verdict.reason)


@every_rule
@quick
@given(mine=st.builds(seen, finite, finite, finite), others=runs_there, order=st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(case: Any, mine: Seen, others: list[Seen], order: Any) -> None:
    stopper, metric = made(case)
    shuffled = list(others)
    order.shuffle(shuffled)
    rung = stopper.ladder.first(1)[0]
    assert judged(stopper, metric, rung, mine, others) == judged(stopper, metric, rung, mine, shuffled)


@every_rule
@quick
@given(mine=st.builds(seen, finite, finite, finite), others=runs_there)
def test_judging_changes_nothing(case: Any, mine: Seen, others: list[Seen]) -> None:
    stopper, metric = made(case)
    rung = stopper.ladder.first(1)[0]
    before: Mapping[int, Seen] = {1: seen(2.0)}
    kept = dict(stopper.keeps(rung, mine, before))
    peers = peers_of(stopper, metric, others)
    assert stopper.judge(rung, mine, kept, peers) == stopper.judge(rung, mine, kept, peers)
    assert (before, kept) == ({1: seen(2.0)}, dict(stopper.keeps(rung, mine, before)))


@every_rule
@quick
@given(mine=st.builds(seen, finite, finite, finite), others=runs_there)
def test_maximizing_is_minimizing_in_the_mirror(case: Any, mine: Seen, others: list[Seen]) -> None:
    name, options, goal = case
    turned = {"upper": "lower", "lower": "upper"}
    mirror = {turned.get(key, key): -value if key in turned else value for key, value in options.items()}
    other: Goal = "maximize" if goal == "minimize" else "minimize"

    def flip(one: Seen) -> Seen:
        return Seen(one.length, -one.value, -one.best, -one.mean)

    (one, metric), (two, back) = made(case), made((name, mirror, other))
    rung = one.ladder.first(1)[0]
    verdicts = judged(one, metric, rung, mine, others), judged(two, back, rung, flip(mine), map(flip, others))
    assert (verdicts[0] is None) == (verdicts[1] is None)


@comparing_rules
@quick
@given(values=st.lists(finite, min_size=1, max_size=12))
def test_the_best_run_at_a_rung_is_never_stopped(case: Any, values: list[float]) -> None:
    stopper, metric = made(case)
    best = min(values, key=metric.as_loss)
    others = list(values)
    others.remove(best)
    assert judged(stopper, metric, stopper.ladder.first(1)[0], seen(best), map(seen, others)) is None


@every_rule
@quick
@given(value=st.floats(-1e4, 1e4), number=st.integers(1, 20))
def test_of_equal_runs_none_is_stopped(case: Any, value: float, number: int) -> None:
    stopper, metric = made(case)
    rung = stopper.ladder.first(1)[0]
    assert judged(stopper, metric, rung, seen(value), [seen(value)] * number) is None


@comparing_rules
def test_a_run_that_is_far_worse_than_many_is_stopped_and_one_far_better_is_not(case: Any) -> None:
    stopper, metric = made(case)
    rung = stopper.ladder.first(1)[0]
    good, bad = sorted((0.0, 1e6), key=metric.as_loss)
    assert judged(stopper, metric, rung, seen(good), [seen(bad)] * 11) is None
    verdict = judged(stopper, metric, rung, seen(bad), [seen(good)] * 11)
    assert verdict is not None
    assert ("above" if metric.goal == "minimize" else "below") in verdict.reason
    assert any(number in verdict.reason for number in (" 11 ", " 12 "))


@every_rule
def test_with_too_few_runs_nobody_is_judged(case: Any) -> None:
    stopper, metric = made(case, min_peers=9)
    rung = stopper.ladder.first(1)[0]
    for mine in (seen(1e6), seen(-1e6)):
        assert judged(stopper, metric, rung, mine, [seen(0.0)] * 7) is None
    assert stopper.judge_streak(100, 100, HowMany(7)) is None
    assert played(case, [[(step, 1e6) for step in range(30)]] * 4 + [WORST], min_peers=9) == []


@every_rule
def test_numbers_in_the_sentence_are_finite(case: Any) -> None:
    stopper, metric = made(case)
    rung = stopper.ladder.first(1)[0]
    values = (-1e300, 0.0, 1e-300, 1e300, math.inf, -math.inf)
    for mine in values[:4]:
        verdict = judged(stopper, metric, rung, seen(mine), [seen(1.0, value, value) for value in values] * 2)
        assert verdict is None or all(str(word) not in verdict.reason for word in (math.nan, math.inf))


# ---- whole runs


WORST = [(step, math.nan if step > 3 else 1e7 * (-1) ** step) for step in range(60)]


def played(case: Any, runs: Sequence[Sequence[tuple[int, float]]], **more: Any) -> list[tuple[str, int, str]]:
    """Who is stopped, at which step and why, when runs log one after the other; ``epoch`` is the step and one."""
    stopper, metric = made(case, **more)
    histories = [
        History(str(at), [Row(100.0 * at + step, step, {"m": value, "epoch": step + 1.0}) for step, value in rows])
        for at, rows in enumerate(runs)
    ]
    return [(each.run, each.step, each.reason) for each in replay([stopper], metric, histories) if each.reason]


@every_rule
def test_the_same_runs_get_the_same_verdicts_again(case: Any) -> None:
    runs = [[(step, math.sin(7.0 * at + step) * 1e4 * at) for step in range(40)] for at in range(9)] + [WORST]
    first = played(case, runs)
    assert first == played(case, runs)
    assert all(reason for _, _, reason in first)


@every_rule
def test_a_run_of_nan_alone_is_never_stopped(case: Any) -> None:
    good = [(step, 1.0 / (step + 1)) for step in range(40)]
    nothing = [(step, math.nan if step % 2 else math.inf) for step in range(40)]
    assert [each for each in played(case, [good] * 6 + [nothing]) if each[0] == "6"] == []


@over([case for case in CASES if case[0] != "nan" and "resource" not in case[1]])
def test_nan_moves_nobody_to_a_rung(case: Any) -> None:
    steady = [[(step, 1.0 + at + (step % 3)) for step in range(30)] for at in range(8)]
    holes = [[(3 * step + gap, math.nan if gap else value) for step, value in run for gap in (0, 1)] for run in steady]
    told = [[(run, reason) for run, _, reason in played(case, rows)] for rows in (steady, holes)]
    assert told[0] == told[1]


def test_runs_that_all_learn_alike_are_left_alone_by_rules_that_compare() -> None:
    alike = [[(step, 1.0 / (step + 1)) for step in range(30)]] * 8
    for case in COMPARING:
        if case[2] == "minimize":
            assert played(case, alike) == []


def test_whoever_comes_first_is_never_judged_by_rules_that_compare() -> None:
    runs = [[(step, float(at)) for step in range(30)] for at in range(6)]
    for case in COMPARING:
        for order in list(permutations(runs))[::97]:
            assert "0" not in [run for run, _, _ in played(case, order)]
