from __future__ import annotations

from typing import Any

import pytest
from rungs import judged, seen

from besom.metric import Metric
from besom.stopping import Stop
from besom.stopping.threshold import Threshold

LOSS = Metric("loss")


def threshold(**options: Any) -> Threshold:
    return Threshold.from_options(options, LOSS)


@pytest.mark.parametrize(
    ("options", "value", "told"),
    [
        ({"upper": 5}, 5.2, "step 3: 5.2 is above 5, the upper bound"),
        ({"upper": 5}, 5.0, None),
        ({"upper": 5}, -100.0, None),
        ({"lower": 0.1}, 0.05, "step 3: 0.05 is below 0.1, the lower bound"),
        ({"lower": 0.1}, 0.1, None),
        ({"lower": 0, "upper": 0}, 0.0, None),
        ({"lower": 0, "upper": 0}, 1e-9, "step 3: 1e-09 is above 0, the upper bound"),
    ],
)
def test_a_value_beyond_a_bound_ends_the_run_whichever_way_is_better(
    options: dict[str, Any], value: float, told: str | None
) -> None:
    for goal in ("minimize", "maximize"):
        metric = Metric("loss", goal=goal)
        stop = judged(Threshold.from_options(options, metric), metric, 3, seen(value), [])
        assert stop == (None if told is None else Stop(told))


def test_it_looks_at_each_value_from_grace_on() -> None:
    assert threshold(upper=1).ladder.first(3) == [1, 2, 3]
    assert threshold(upper=1, grace=10).ladder.first(3) == [10, 11, 12]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "threshold needs a bound, such as `upper: 10`, or `lower`"),
        ({"upper": 1, "lower": 2}, "`lower` 2 is above `upper` 1"),
        ({"upper": True}, "`upper` must be a number"),
        ({"upper": 1, "resource": "epoch"}, "threshold has no `resource`: it takes `upper`, `lower`, `min_peers`"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        threshold(**options)
    assert sentence in str(caught.value)


def test_it_keeps_nothing() -> None:
    assert (threshold(upper=1).track, threshold(upper=1).keeps(3, seen(1.0), {})) == (None, {})
