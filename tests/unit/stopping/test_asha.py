from __future__ import annotations

from typing import Any

import pytest
from rungs import judged, seen

from besom.metric import Metric
from besom.stopping import Stop
from besom.stopping.asha import Asha

LOSS = Metric("loss")


def asha(**options: Any) -> Asha:
    return Asha.from_options(options, LOSS)


@pytest.mark.parametrize(
    ("options", "rungs"),
    [
        ({}, [1, 3, 9, 27]),
        ({"min_iter": 2, "eta": 4}, [2, 8, 32, 128]),
        ({"grace": 5}, [5, 15, 45, 135]),
        ({"min_iter": 2, "grace": 5}, [6, 18, 54, 162]),
        ({"max_iter": 27}, [1, 3, 9]),
        ({"max_iter": 28}, [1, 3, 9, 27]),
    ],
)
def test_rungs_follow_the_options(options: dict[str, Any], rungs: list[int]) -> None:
    assert asha(**options).ladder.first(4) == rungs


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"min_iter": 9, "max_iter": 9}, "`max_iter` 9 leaves no rung: the first one is 9"),
        ({"max_iter": 9, "grace": 20}, "`max_iter` 9 leaves no rung: the first one is 20"),
        ({"max_iter": 27, "min_iter": 1, "grace": 20}, "`grace` 20 leaves no rung"),
        ({"eta": 1}, "`eta` must be above 1, not 1"),
        ({"s": 3}, "asha has no `s`: it takes `min_iter`, `max_iter`"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        asha(**options)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("eta", [2, 3, 4, 2.5])
@pytest.mark.parametrize("runs", range(1, 20))
def test_of_n_runs_the_best_floor_of_n_by_eta_go_on(eta: float, runs: int) -> None:
    rule = asha(eta=eta, min_peers=1)
    values = [float(value) for value in range(runs)]
    stopped = [
        value
        for at, value in enumerate(values)
        if judged(rule, LOSS, 1, seen(value), map(seen, values[:at] + values[at + 1 :])) is not None
    ]
    assert stopped == values[max(1, int(runs / eta)) :]


@pytest.mark.parametrize(("eta", "first"), [(3, 3), (2.5, 3), (4, 4)])
def test_nobody_is_judged_before_eta_runs_were_there(eta: float, first: int) -> None:
    rule = asha(eta=eta)
    assert judged(rule, LOSS, 1, seen(9.0), [seen(0.0)] * (first - 2)) is None
    assert judged(rule, LOSS, 1, seen(9.0), [seen(0.0)] * (first - 1)) is not None


def test_equal_values_go_on() -> None:
    assert judged(asha(), LOSS, 1, seen(1.0), [seen(1.0)] * 8) is None


def test_the_reason_tells_rung_value_threshold_and_number_of_runs() -> None:
    others = [seen(value) for value in (0.42, 0.4, 0.41, 0.44, *[0.7] * 7)]
    assert judged(asha(min_iter=9), LOSS, 9, seen(0.61), others) == Stop(
        "step 9: 0.61 is above 0.44, the best third of 12 runs"
    )
    assert judged(asha(resource="epoch"), LOSS, 9, seen(0.61), [seen(0.44)] * 11) == Stop(
        "epoch 9: 0.61 is above 0.44, the best third of 12 runs"
    )


def test_not_strict_compares_the_best_values_up_to_the_rung() -> None:
    others = [seen(9.0, 0.2), seen(9.0, 0.3), seen(9.0, 0.4)]
    assert judged(asha(strict=False), LOSS, 1, seen(9.0, 0.1), others) is None
    assert judged(asha(strict=False), LOSS, 1, seen(0.25, 0.25), others) is not None
