from __future__ import annotations

import pytest

from besom.metric import Metric
from besom.stopping import RULES, make_stoppers
from besom.stopping.hyperband import Hyperband

LOSS = Metric("loss")


def test_hyperband_is_known_by_its_name() -> None:
    assert dict(RULES) == {"hyperband": Hyperband}


def test_each_rule_becomes_a_stopper_in_order() -> None:
    stoppers = make_stoppers([{"type": "hyperband", "min_iter": 3}, {"type": "hyperband", "min_iter": 5}], LOSS)
    assert [stopper.rungs(1) for stopper in stoppers] == [[3], [5]]


def test_no_rules_make_no_stoppers_and_need_no_metric() -> None:
    assert make_stoppers([], None) == []


@pytest.mark.parametrize("options", [{"type": "envelope"}, {"min_iter": 3}, {"type": ["hyperband"]}])
def test_an_unknown_rule_is_told_what_to_write(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"there is no stopping rule .*: write `type: hyperband`"):
        make_stoppers([options], LOSS)


def test_a_rule_without_a_metric_is_refused() -> None:
    with pytest.raises(ValueError, match="early_terminate needs a `metric`"):
        make_stoppers([{"type": "hyperband", "min_iter": 3}], None)


def test_options_are_checked_by_their_rule() -> None:
    with pytest.raises(ValueError, match="`eta` must be above 1"):
        make_stoppers([{"type": "hyperband", "min_iter": 3, "eta": 0.5}], LOSS)
