import math

import pytest

from besom.client.definitions import Aggregates, Definition, Definitions, define
from besom.errors import UsageError


def test_summary_words_are_split():
    assert define("loss", summary="min, max").summary == ("min", "max")


@pytest.mark.parametrize(("goal", "kept"), [("maximize", "max"), ("minimize", "min"), (None, "min")])
def test_best_becomes_min_or_max_by_the_goal(goal, kept):
    assert define("loss", summary="best", goal=goal).summary == (kept,)


def test_copy_keeps_the_plain_value():
    assert define("loss", summary="copy").summary == ()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"name": ""}, "needs the name"),
        ({"name": "*/loss"}, "at the end only"),
        ({"name": "loss", "summary": "median"}, "min, max, mean, last, first, none"),
        ({"name": "loss", "step_metric": "ep*"}, "step_metric must be the name"),
        ({"name": "loss", "step_metric": 5}, "step_metric must be the name"),
    ],
)
def test_mistakes_are_told(arguments, sentence):
    with pytest.raises(UsageError, match=sentence):
        define(**arguments)


def test_a_definition_may_be_an_axis():
    assert define("loss", step_metric=define("epoch")).step_metric == "epoch"


def test_an_own_definition_wins_over_stars_and_the_longest_star_first():
    definitions = Definitions()
    for name in ("*", "val/*", "val/loss"):
        definitions.add(define(name))
    assert [definitions.of(key).name for key in ("val/loss", "val/acc", "x")] == ["val/loss", "val/*", "*"]


def test_a_second_call_adds_to_the_first_unless_it_overwrites():
    definitions = Definitions()
    definitions.add(define("loss", summary="min"))
    assert definitions.add(define("loss", step_metric="epoch")).summary == ("min",)
    assert definitions.add(define("loss", step_metric="epoch"), overwrite=True).summary == ()


def test_the_last_value_of_the_axis_is_added():
    definitions = Definitions()
    definitions.add(define("val/*", step_metric="epoch"))
    assert definitions.with_axes({"epoch": 3, "loss": 1}) == {"epoch": 3, "loss": 1}
    assert definitions.with_axes({"val/loss": 1}) == {"val/loss": 1, "epoch": 3}
    assert definitions.with_axes({"loss": 1}) == {"loss": 1}


def test_step_sync_false_adds_nothing():
    definitions = Definitions()
    definitions.add(define("val/*", step_metric="epoch", step_sync=False))
    definitions.with_axes({"epoch": 3})
    assert definitions.with_axes({"val/loss": 1}) == {"val/loss": 1}


def test_aggregates_leave_nan_and_text_out():
    kept = Aggregates(("min", "max", "mean", "first", "last"))
    for value in (2.0, math.nan, "text", True, 4.0, 3.0):
        kept.add(value)
    assert kept.summary() == {"min": 2.0, "max": 4.0, "mean": 3.0, "first": 2.0, "last": 3.0}


def test_the_record_has_the_fields_of_the_spool():
    assert Definition("loss", "epoch", True, False, ("min",)).record() == {
        "name": "loss",
        "step_metric": "epoch",
        "summary": ["min"],
        "hidden": False,
    }
