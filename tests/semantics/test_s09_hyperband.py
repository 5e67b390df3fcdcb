"""Section 9: early_terminate of type hyperband."""

from __future__ import annotations

import math
from typing import Any

import pytest
from rungs import judged, seen

from besom.metric import Metric
from besom.stopping import HowMany, Seen, Stop, Stopper, make_stoppers

LOSS = Metric("loss")
ACCURACY = Metric("acc", goal="maximize")
THREE = "the last 3 values of loss were NaN or infinite"


def hyperband(metric: Metric = LOSS, **options: Any) -> Stopper:
    return make_stoppers([{"type": "hyperband", **options}], metric)[0]


def stopped(rule: Stopper, *values: float, rung: int = 1) -> list[float]:
    """Those of the runs with these values at a rung that are stopped there."""
    runs = [seen(value) for value in values]
    return [mine.value for at, mine in enumerate(runs) if judge(rule, runs, at, rung) is not None]


def judge(rule: Stopper, runs: list[Seen], at: int = 0, rung: int = 1) -> Stop | None:
    """The verdict on one of the runs that are at a rung."""
    metric = ACCURACY if "acc" in rule.explain() else LOSS
    return judged(rule, metric, rung, runs[at], runs[:at] + runs[at + 1 :])


def test_s09_table_min_iter_or_max_iter_with_s() -> None:
    assert hyperband(min_iter=3).ladder.first(1) == [3]
    assert hyperband(max_iter=27, s=2).ladder.first(9) == [3, 9]
    for wrong in ({}, {"max_iter": 27}, {"s": 2}, {"max_iter": 27, "min_iter": 3}):
        with pytest.raises(ValueError, match=r"`max_iter`"):
            hyperband(**wrong)


def test_s09_table_eta_defaults_to_3_and_is_above_1() -> None:
    assert hyperband(min_iter=1).ladder.first(4) == hyperband(min_iter=1, eta=3).ladder.first(4)
    with pytest.raises(ValueError, match="`eta` must be above 1"):
        hyperband(min_iter=1, eta=1)


def test_s09_table_strict_defaults_to_true() -> None:
    runs = [seen(9.0, 0.0), seen(1.0), seen(2.0)]
    verdicts = [judge(rule, runs) for rule in (hyperband(min_iter=1), hyperband(min_iter=1, strict=True))]
    assert verdicts[0] == verdicts[1] is not None


def test_s09_rule_1_a_rung_is_a_count_of_finite_values() -> None:
    logged = [0.9, math.nan, 0.8, math.inf, 0.7]
    rule = hyperband(min_iter=3)
    finite = 0
    judged_at = []
    for position, value in enumerate(logged):
        if math.isfinite(value):
            finite += 1
            if rule.ladder.at(finite) == finite:
                judged_at.append(position)
    assert judged_at == [4]


def test_s09_rule_2_bands_of_min_iter() -> None:
    assert hyperband(min_iter=3, eta=3).ladder.first(4) == [3, 9, 27, 81]
    assert hyperband(min_iter=3, eta=1.5).ladder.first(5) == [int(3 * 1.5**power) for power in range(5)]


def test_s09_rule_2_bands_of_max_iter() -> None:
    assert hyperband(max_iter=27, s=2, eta=3).ladder.first(9) == [3, 9]
    assert hyperband(max_iter=100, s=3, eta=3).ladder.first(9) == [3, 11, 33]


def test_s09_rule_2_max_iter_itself_is_no_band_and_none_is_below_1() -> None:
    assert hyperband(max_iter=27, s=50).ladder.first(99) == [1, 3, 9]


def test_s09_rule_2_without_a_band_it_is_an_error() -> None:
    with pytest.raises(ValueError, match="leaves no rung"):
        hyperband(max_iter=2, s=3)


@pytest.mark.parametrize(("eta", "n"), [(3, 2), (3, 3), (3, 9), (4, 12), (2, 7), (49, 49), (1.1, 10)])
def test_s09_rule_3_threshold_of_a_band(eta: float, n: int) -> None:
    values = [float(value) for value in range(n)]
    threshold = values[int((1 / eta) * n)]
    assert stopped(hyperband(min_iter=1, eta=eta), *values) == [value for value in values if value > threshold]


def test_s09_rule_3_two_and_three_values_have_the_first_and_second_as_threshold() -> None:
    assert stopped(hyperband(min_iter=1), 1.0, 2.0) == [2.0]
    assert stopped(hyperband(min_iter=1), 1.0, 2.0, 3.0) == [3.0]


def test_s09_rule_3_eta_49_with_49_values_has_the_first_as_threshold() -> None:
    # 1/49 times 49 is a bit below 1 in floating point.
    assert len(stopped(hyperband(min_iter=1, eta=49), *map(float, range(49)))) == 48


def test_s09_rule_3_maximize_is_negated() -> None:
    assert stopped(hyperband(ACCURACY, min_iter=1), *map(float, range(9))) == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_s09_rule_3_without_a_run_at_the_band_nothing_stops() -> None:
    assert judge(hyperband(min_iter=1), [seen(1e9)]) is None


def test_s09_rule_4_two_runs() -> None:
    assert stopped(hyperband(min_iter=1, eta=3), 1.0, 2.0) == [2.0]


def test_s09_rule_4_nine_runs() -> None:
    assert stopped(hyperband(min_iter=1, eta=3), *map(float, range(9))) == [4.0, 5.0, 6.0, 7.0, 8.0]


def test_s09_rule_4_ties_survive() -> None:
    assert stopped(hyperband(min_iter=1), 1.0, 1.0, 1.0, 1.0) == []
    assert stopped(hyperband(min_iter=1), 0.0, 1.0, 1.0, 1.0, 2.0, 2.0) == [2.0, 2.0]


def test_s09_rule_4_strict_takes_the_value_at_the_band() -> None:
    assert judge(hyperband(min_iter=1, strict=True), [seen(9.0, 0.5), seen(1.0), seen(2.0)]) is not None


def test_s09_rule_4_not_strict_takes_the_best_value_so_far_on_both_sides() -> None:
    runs = [seen(9.0, 0.5), seen(1.0), seen(0.1), seen(2.0)]
    rule = hyperband(min_iter=1, strict=False)
    assert judge(rule, runs) is None
    verdict = judge(rule, runs, 3)
    assert verdict is not None
    assert verdict.reason == "step 1: 2, the best so far, is above 0.5, the best third of 4 runs"


def test_s09_rule_5_decide_a_run_is_judged_once_at_each_band_and_never_between() -> None:
    rule = hyperband(min_iter=3)
    assert [count for count in range(1, 40) if rule.ladder.at(count) == count] == [3, 9, 27]


def test_s09_rule_6_the_verdict_depends_on_the_values_alone() -> None:
    runs = [seen(value) for value in (3.0, 1.0, 2.0)]
    rule = hyperband(min_iter=1)
    first = judge(rule, runs)
    judge(rule, runs[1:])
    assert judge(rule, runs) == first is not None


def test_s09_rule_7_it_needs_a_metric() -> None:
    with pytest.raises(ValueError, match="early_terminate needs a `metric`"):
        make_stoppers([{"type": "hyperband", "min_iter": 3}], None)


def test_s09_rule_7_the_effect_is_a_stop_with_a_reason() -> None:
    runs = [seen(value) for value in [0.61, *[0.4] * 4, *[0.44] * 2, *[0.7] * 5]]
    verdict = judge(hyperband(min_iter=9), runs, rung=9)
    assert verdict is not None
    assert verdict.reason == "step 9: 0.61 is above 0.44, the best third of 12 runs"


def test_s09_rule_8_a_run_without_finite_values_is_never_judged() -> None:
    assert hyperband(min_iter=1).ladder.at(0) is None


def test_s09_decide_grace_leaves_early_bands_out() -> None:
    assert hyperband(min_iter=1, grace=5).ladder.first(3) == [9, 27, 81]


def test_s09_decide_min_peers_spares_the_first_runs() -> None:
    rule = hyperband(min_iter=1, min_peers=4)
    assert stopped(rule, 1.0, 2.0, 3.0) == []
    assert stopped(rule, 1.0, 2.0, 3.0, 4.0) == [3.0, 4.0]


def test_s09_decide_s_may_be_a_whole_float() -> None:
    assert hyperband(max_iter=27, s=2.0).ladder.first(9) == [3, 9]
    with pytest.raises(ValueError, match="`s` must be a whole number"):
        hyperband(max_iter=27, s=2.5)


def test_s09_decide_stop_on_nan_only_when_asked_for() -> None:
    assert streak([1000, 3], min_iter=3) == []
    assert streak([1, 3], min_iter=3, nan={"patience": 2}) == []
    reason = "the last 2 values of loss were NaN or infinite, after 3 finite values"
    assert streak([2, 3], min_iter=3, nan={"patience": 2}) == [Stop(reason)]
    assert len(streak([5, 3], min_iter=3, nan={})) == 1, "patience is 5 by default"


def streak(shown: list[int], **options: Any) -> list[Stop]:
    """The verdicts on a run with so many NaNs after so many finite values."""
    rules = make_stoppers([{"type": "hyperband", **options}], LOSS)
    return [stop for rule in rules if (stop := rule.judge_streak(*shown, HowMany(0))) is not None]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["NaN", 0.5, "Infinity", "NaN"], None),
        (["NaN", "-Infinity", "NaN", "NaN"], None),
        (["NaN", 0.5, "-Infinity", "NaN", "NaN"], f"{THREE}, after 1 finite value"),
        ([0.7, 0.5, "NaN", "NaN", "NaN", 0.1], f"{THREE}, after 2 finite values"),
    ],
)
@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_s09_decide_a_run_of_nans_is_stopped_however_its_rows_arrive(
    sqlite_hand: Any, make_spool: Any, values: list[Any], reason: str | None, pieces: int
) -> None:
    rule = "{type: hyperband, min_iter: 100, nan: {patience: 3}}"
    sweep = sqlite_hand.sweep(
        f"{{method: grid, metric: {{name: loss}}, early_terminate: {rule}, parameters: {{a: {{values: [1]}}}}}}"
    )
    run = sqlite_hand.take(sqlite_hand.agent(sweep))
    rows = [{"t": "row", "step": step, "time": 1.0, "data": {"loss": value}} for step, value in enumerate(values)]
    data, offset = make_spool(rows), 0
    size = -(-len(data) // pieces)
    for start in range(0, len(data), size):
        offset = sqlite_hand.append(run.uid, 1, data[start : start + size], offset)
    assert sqlite_hand.run(run.uid).stop_reason == reason
