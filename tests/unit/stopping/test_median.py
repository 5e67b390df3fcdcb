from __future__ import annotations

import statistics
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rungs import judged, seen

from besom.metric import Metric
from besom.stopping import Stop
from besom.stopping.median import Median

LOSS = Metric("loss")
ACCURACY = Metric("acc", goal="maximize")
NUMBERS = st.floats(-1e6, 1e6)


def median(metric: Metric = LOSS, **options: Any) -> Median:
    return Median.from_options({"min_peers": 1, **options}, metric)


@pytest.mark.parametrize("metric", [LOSS, ACCURACY], ids=["minimize", "maximize"])
@given(best=NUMBERS, means=st.lists(NUMBERS, min_size=1, max_size=9))
@settings(deadline=None)
def test_the_best_value_is_compared_with_the_median_of_the_running_means(
    metric: Metric, best: float, means: list[float]
) -> None:
    stop = judged(median(metric), metric, 4, seen(99.0, best, 98.0), [seen(-99.0, -98.0, mean) for mean in means])
    middle = statistics.median(means)
    if abs(middle - best) > 1e-6:
        assert (stop is not None) == metric.better(middle, best)


def test_the_reason_tells_value_median_and_number_of_others() -> None:
    others = [seen(0.0, 0.0, mean) for mean in (0.4, 0.5, 0.44)]
    assert judged(median(), LOSS, 4, seen(0.9, 0.61), others) == Stop(
        "step 4: 0.61, the best so far, is above 0.44, the median of the running means of 3 other runs"
    )
    assert judged(median(ACCURACY, resource="epoch"), ACCURACY, 4, seen(0.1, 0.2), others[:1]) == Stop(
        "epoch 4: 0.2, the best so far, is below 0.4, the median of the running mean of 1 other run"
    )


def test_five_runs_must_have_come_unless_told_otherwise() -> None:
    rule = Median.from_options({}, LOSS)
    assert judged(rule, LOSS, 1, seen(9.0), [seen(0.0)] * 3) is None
    assert judged(rule, LOSS, 1, seen(9.0), [seen(0.0)] * 4) is not None


def test_the_first_run_has_no_others() -> None:
    assert judged(median(), LOSS, 1, seen(9.0), []) is None


def test_two_halves_of_huge_numbers_are_no_infinity() -> None:
    others = [seen(0.0, 0.0, 1e308), seen(0.0, 0.0, 1.5e308)]
    assert judged(median(), LOSS, 1, seen(1.7e308), others) is not None


def test_it_looks_often_from_min_iter_or_grace_on() -> None:
    assert median(min_iter=4).ladder.first(3) == [4, 5, 6]
    assert median(grace=6).ladder.first(3) == [6, 7, 8]
    assert median(min_iter=4, every=10).ladder.first(6) == [4, 14, 24, 34, 44, 54]
