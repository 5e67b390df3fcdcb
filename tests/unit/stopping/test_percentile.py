from __future__ import annotations

import math
from typing import Any

import pytest
from rungs import judged, seen

from besom.metric import Metric
from besom.stopping import Stop
from besom.stopping.percentile import Percentile

LOSS = Metric("loss")


def percentile(**options: Any) -> Percentile:
    return Percentile.from_options({"min_peers": 1, **options}, LOSS)


@pytest.mark.parametrize("share", [10, 25, 50, 90, 33.3])
@pytest.mark.parametrize("runs", range(1, 13))
def test_the_best_part_goes_on_rounded_up(share: float, runs: int) -> None:
    rule = percentile(percentile=share)
    values = [float(value) for value in range(runs)]
    stopped = [
        value
        for at, value in enumerate(values)
        if judged(rule, LOSS, 1, seen(value), map(seen, values[:at] + values[at + 1 :])) is not None
    ]
    assert stopped == values[max(1, math.ceil(runs * share / 100)) :]


def test_best_values_are_compared_and_with_strict_those_at_the_rung() -> None:
    others = [seen(0.0, 0.0)] * 3
    assert judged(percentile(), LOSS, 2, seen(9.0, 0.0), others) is None
    assert judged(percentile(strict=True), LOSS, 2, seen(9.0, 0.0), others) == Stop(
        "step 2: 9 is above 0, the best 50 percent of 4 runs"
    )
    assert judged(percentile(percentile=12.5), LOSS, 2, seen(9.0, 3.0), others) == Stop(
        "step 2: 3, the best so far, is above 0, the best 12.5 percent of 4 runs"
    )


@pytest.mark.parametrize("share", [0, 100, -5, 101])
def test_a_part_of_all_or_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="`percentile` must be between 0 and 100"):
        percentile(percentile=share)


def test_five_runs_must_have_come_unless_told_otherwise() -> None:
    rule = Percentile.from_options({}, LOSS)
    assert judged(rule, LOSS, 1, seen(9.0), [seen(0.0)] * 3) is None
    assert judged(rule, LOSS, 1, seen(9.0), [seen(0.0)] * 4) is not None
