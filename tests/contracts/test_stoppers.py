"""What every early-stopping rule must obey, whatever it looks for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from besom.metric import Goal, Metric
from besom.stopping import RULES, RungValue, Stop, Stopper, make_stoppers

OPTIONS: Mapping[str, list[dict[str, Any]]] = {
    "hyperband": [
        {"min_iter": 1},
        {"min_iter": 3, "eta": 2.5, "strict": False},
        {"max_iter": 81, "s": 3, "min_peers": 4, "grace": 5, "nan": {"patience": 3}},
    ],
}
every_rule = pytest.mark.parametrize(
    "stopper",
    [
        pytest.param(
            make_stoppers([{"type": name, **options}], Metric("m", goal=goal))[0], id=f"{name}-{goal}-{options}"
        )
        for name, each in OPTIONS.items()
        for options in each
        for goal in get_args(Goal)
    ],
)
finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
rung_values = st.lists(st.builds(RungValue, finite, finite), min_size=1, max_size=12)


def test_every_rule_stands_under_this_contract() -> None:
    assert set(OPTIONS) == set(RULES)


@every_rule
def test_rungs_are_counts_in_rising_order(stopper: Stopper) -> None:
    rungs = stopper.rungs(20)
    assert rungs
    assert rungs[0] >= 1
    assert rungs == sorted(set(rungs))
    assert stopper.rungs(2) == rungs[:2]


@every_rule
def test_a_run_with_finite_values_only_has_no_streak_to_be_stopped_for(stopper: Stopper) -> None:
    assert stopper.judge_streak(0) is None


@every_rule
def test_is_rung_is_true_for_the_rungs_only(stopper: Stopper) -> None:
    rungs = stopper.rungs(5)
    assert [count for count in range(-1, rungs[-1] + 1) if stopper.is_rung(count)] == rungs


@every_rule
@given(peers=rung_values)
@settings(deadline=None, max_examples=25)
def test_a_verdict_is_nothing_or_a_sentence_with_the_rung(stopper: Stopper, peers: list[RungValue]) -> None:
    rung = stopper.rungs(1)[0]
    for mine in peers:
        verdict = stopper.judge(rung, mine, peers)
        assert verdict is None or (isinstance(verdict, Stop) and str(rung) in verdict.reason)


@every_rule
@given(peers=rung_values)
@settings(deadline=None, max_examples=25)
def test_the_order_of_the_peers_does_not_matter(stopper: Stopper, peers: list[RungValue]) -> None:
    rung = stopper.rungs(1)[0]
    assert stopper.judge(rung, peers[0], peers) == stopper.judge(rung, peers[0], peers[::-1])


@every_rule
@given(peers=rung_values)
@settings(deadline=None, max_examples=25)
def test_judging_changes_nothing(stopper: Stopper, peers: list[RungValue]) -> None:
    rung = stopper.rungs(1)[0]
    before = list(peers)
    assert stopper.judge(rung, peers[0], peers) == stopper.judge(rung, peers[0], peers)
    assert peers == before


@every_rule
@given(peers=rung_values)
@settings(deadline=None, max_examples=25)
def test_not_all_runs_are_stopped(stopper: Stopper, peers: list[RungValue]) -> None:
    rung = stopper.rungs(1)[0]
    assert any(stopper.judge(rung, mine, peers) is None for mine in peers)


@every_rule
@given(value=finite, number=st.integers(1, 20))
@settings(deadline=None, max_examples=25)
def test_of_equal_runs_none_is_stopped(stopper: Stopper, value: float, number: int) -> None:
    assert stopper.judge(stopper.rungs(1)[0], RungValue(value, value), [RungValue(value, value)] * number) is None


@every_rule
def test_a_run_that_is_far_worse_than_many_is_stopped(stopper: Stopper) -> None:
    rung = stopper.rungs(1)[0]
    good, bad = (RungValue(value, value) for value in (0.0, 1e6))
    verdicts = [stopper.judge(rung, mine, [mine] + [other] * 11) for mine, other in [(good, bad), (bad, good)]]
    assert [verdict is None for verdict in verdicts].count(True) == 1


@every_rule
def test_numbers_in_the_sentence_are_finite(stopper: Stopper) -> None:
    rung = stopper.rungs(1)[0]
    peers = [RungValue(value, value) for value in (-1e300, 0.0, 1e-300, 1e300)]
    for mine in peers:
        verdict = stopper.judge(rung, mine, peers)
        assert verdict is None or all(str(word) not in verdict.reason for word in (math.nan, math.inf))
