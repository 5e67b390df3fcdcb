from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rungs import judged, seen

from besom.metric import Metric
from besom.stopping import Seen, Stop
from besom.stopping.hyperband import Hyperband

LOSS = Metric("loss")
ACCURACY = Metric("acc", goal="maximize")


def hyperband(metric: Metric = LOSS, **options: Any) -> Hyperband:
    return Hyperband.from_options(options or {"min_iter": 1}, metric)


def judge(rule: Hyperband, mine: float | Seen, *others: float | Seen, rung: int = 1) -> Stop | None:
    metric = ACCURACY if "acc" in rule.explain() else LOSS
    first, *rest = [each if isinstance(each, Seen) else seen(each) for each in (mine, *others)]
    return judged(rule, metric, rung, first, rest)


@pytest.mark.parametrize(
    ("options", "rungs"),
    [
        ({"min_iter": 3}, [3, 9, 27, 81]),
        ({"min_iter": 1, "eta": 2}, [1, 2, 4, 8]),
        ({"min_iter": 2, "eta": 1.5}, [2, 3, 4, 6]),
        ({"min_iter": 3.0, "eta": 3.0}, [3, 9, 27, 81]),
        ({"max_iter": 27, "s": 2}, [3, 9]),
        ({"max_iter": 27, "s": 2.0}, [3, 9]),
        ({"max_iter": 27, "s": 10}, [1, 3, 9]),
        ({"max_iter": 100, "s": 3, "eta": 4}, [1, 6, 25]),
        ({"min_iter": 3, "grace": 10}, [27, 81, 243, 729]),
        ({"min_iter": 3, "grace": 9}, [9, 27, 81, 243]),
    ],
)
def test_rungs_follow_the_options(options: dict[str, Any], rungs: list[int]) -> None:
    assert hyperband(**options).ladder.first(4) == rungs


@given(
    options=st.one_of(
        st.fixed_dictionaries({"min_iter": st.integers(1, 10**15)}),
        st.fixed_dictionaries({"max_iter": st.integers(10**6, 10**15), "s": st.integers(1, 10**15)}),
    ),
    eta=st.floats(1.0001, 10**5),
)
@settings(deadline=None, max_examples=50)
def test_rungs_rise_and_start_at_1_or_later(options: dict[str, int], eta: float) -> None:
    rungs = hyperband(**options, eta=eta).ladder.first(10**6)
    assert rungs[0] >= 1
    assert rungs == sorted(set(rungs))


@given(count=st.integers(-5, 10**6))
@settings(deadline=None)
def test_the_highest_rung_passed_agrees_with_the_list(count: int) -> None:
    rule = hyperband(min_iter=2, eta=1.5)
    rungs = [rung for rung in rule.ladder.first(100) if rung <= count]
    assert rule.ladder.at(count) == (rungs[-1] if rungs else None)


def test_a_list_of_rungs_ends_with_the_rungs() -> None:
    assert hyperband(max_iter=27, s=2).ladder.first(100) == [3, 9]
    assert hyperband(min_iter=3).ladder.first(0) == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"eta": 3}, "hyperband needs its first rung, such as `min_iter: 3`, or `max_iter` and `s`"),
        ({"s": 3}, "hyperband needs its first rung"),
        ({"max_iter": 27}, "`max_iter` needs `s`, the number of rungs below it, such as `s: 2`"),
        ({"min_iter": 3, "max_iter": 27}, "not both"),
        ({"min_iter": 3, "s": 2}, "not both"),
        ({"max_iter": 2, "s": 1}, "`max_iter` 2 is below `eta` 3, which leaves no rung"),
        ({"max_iter": 27, "s": 2, "grace": 10}, "`grace` 10 leaves no rung"),
        ({"min_iter": 0}, "`min_iter` must be a whole number, 1 or larger, not 0"),
        ({"min_iter": 1.5}, "`min_iter` must be a whole number, 1 or larger, not 1.5"),
        ({"min_iter": True}, "`min_iter` must be a number"),
        ({"min_iter": None}, "`min_iter` must be a number"),
        ({"min_iter": "3"}, "`min_iter` must be a number"),
        ({"min_iter": float("nan")}, "`min_iter` must be a number"),
        ({"min_iter": 10**400}, "`min_iter` must be a number"),
        ({"max_iter": 27, "s": 0}, "`s` must be a whole number, 1 or larger"),
        ({"max_iter": 27, "s": 1.5}, "`s` must be a whole number, 1 or larger"),
        ({"min_iter": 3, "eta": 1}, "`eta` must be above 1, not 1"),
        ({"min_iter": 3, "eta": "3"}, "`eta` must be a number"),
        ({"min_iter": 3, "strict": "yes"}, "`strict` must be true or false, not 'yes'"),
        ({"min_iter": 3, "strict": 1}, "`strict` must be true or false, not 1"),
        ({"min_iter": 3, "min_peers": 0}, "`min_peers` must be a whole number, 1 or larger"),
        ({"min_iter": 3, "grace": -1}, "`grace` must be a whole number, 0 or larger"),
        ({"min_iter": 3, "brackets": 2}, "hyperband has no `brackets`: it takes `min_iter`, `max_iter`"),
        ({"min_iter": 3, "resource": 5}, "`resource` must be the name of a logged key, not 5"),
        ({"min_iter": 3, "resource": "loss"}, "`resource` must be another key than the metric"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        hyperband(**options)
    assert sentence in str(caught.value)


def test_every_option_has_help() -> None:
    assert all(len(text) > 10 for text in Hyperband.options.values())
    own = {"min_iter", "max_iter", "s", "eta", "strict", "resource"}
    assert set(Hyperband.options) == own | {"min_peers", "grace", "nan"}


def test_the_reason_tells_step_value_threshold_and_number_of_runs() -> None:
    stop = judge(hyperband(min_iter=9), 0.61, *[0.44] * 5, *[0.7] * 6, rung=9)
    assert stop == Stop("step 9: 0.61 is above 0.44, the best third of 12 runs")


def test_a_maximized_value_is_below() -> None:
    stop = judge(hyperband(ACCURACY, min_iter=1), 0.4, 0.9, 0.8, 0.7)
    assert stop == Stop("step 1: 0.4 is below 0.8, the best third of 4 runs")


@pytest.mark.parametrize(
    ("eta", "part"),
    [
        (2, "half"),
        (3, "third"),
        (4, "quarter"),
        (4.0, "quarter"),
        (5, "fifth"),
        (10, "tenth"),
        (2.5, "1/2.5"),
        (27, "1/27"),
    ],
)
def test_the_part_is_told_in_words_where_there_is_one(eta: float, part: str) -> None:
    stop = judge(hyperband(min_iter=1, eta=eta), 9.0, 1.0, 1.0)
    assert stop is not None
    assert stop.reason.endswith(f"the best {part} of 3 runs")


@pytest.mark.parametrize(
    ("mine", "threshold", "shown"),
    [
        (0.123456, 0.1, "0.1235 is above 0.1"),
        (0.12345678, 0.12345671, "0.1234568 is above 0.1234567"),
        (1.0000000000000002, 1.0, "1.0000000000000002 is above 1"),
        (3.0, -0.0, "3 is above 0"),
        (2e-7, 1e-7, "2e-07 is above 1e-07"),
        (123456.0, 7.0, "1.235e+05 is above 7"),
    ],
)
def test_numbers_have_four_digits_or_as_many_as_tell_them_apart(mine: float, threshold: float, shown: str) -> None:
    stop = judge(hyperband(), mine, threshold)
    assert stop is not None
    assert stop.reason.startswith(f"step 1: {shown}, ")


@pytest.mark.parametrize("metric", [LOSS, ACCURACY], ids=["minimize", "maximize"])
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), eta=st.floats(1.1, 20))
@settings(deadline=None)
def test_the_best_go_on_and_all_worse_than_the_threshold_end(metric: Metric, values: list[float], eta: float) -> None:
    rule = hyperband(metric, min_iter=1, eta=eta)
    threshold = sorted(values, key=metric.as_loss)[int((1 / eta) * len(values))]
    for index, mine in enumerate(values):
        others = values[:index] + values[index + 1 :]
        assert (judge(rule, mine, *others) is not None) == metric.better(threshold, mine)


def test_strict_compares_values_at_the_rung() -> None:
    assert judge(hyperband(min_iter=1, strict=True), seen(5.0, 1.0), 2.0, 3.0) == Stop(
        "step 1: 5 is above 3, the best third of 3 runs"
    )


def test_not_strict_compares_the_best_values_up_to_the_rung() -> None:
    rule = hyperband(min_iter=1, strict=False)
    assert judge(rule, seen(5.0, 1.0), 2.0, 3.0) is None
    assert judge(rule, 3.0, seen(5.0, 1.0), 2.0) == Stop(
        "step 1: 3, the best so far, is above 2, the best third of 3 runs"
    )


def test_below_min_peers_no_run_is_judged() -> None:
    rule = hyperband(min_iter=1, min_peers=3)
    assert judge(rule, 9.0, 1.0) is None
    assert judge(rule, 9.0, 1.0, 1.0) is not None


def test_a_run_without_peers_goes_on() -> None:
    assert judge(hyperband(), 1e9) is None
