from __future__ import annotations

from typing import Any

import pytest

from besom.sweep_config.tree import Node
from besom.sweep_config.value_types import (
    Anything,
    Boolean,
    Choice,
    Duration,
    FreeText,
    Limit,
    ListOf,
    Number,
    Section,
    Text,
    ValueType,
    Whole,
    Word,
)

COLOURS = Choice((Word("red"), Word("green"), Word("blue", not_built="write `red`")), {"azure": "blue", "rouge": "red"})


def node(value: Any) -> Node:
    if isinstance(value, dict):
        return Node({key: node(child) for key, child in value.items()})
    return Node([node(child) for child in value]) if isinstance(value, list) else Node(value)


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        (Text(), "x", "x"), (FreeText(), "", ""), (FreeText(), None, ""), (Number(), 1, 1), (Number(1), 1.5, 1.5),
        (Whole(), 3, 3), (Whole(), 27.0, 27), (Whole(0), 0, 0), (Limit(), 2, 2), (Limit(), "unlimited", None),
        (Boolean(), True, True), (Duration(), 90, 90.0), (Duration(), "2h", 7200.0), (Duration(), "1d 30m", 88200.0),
        (COLOURS, "red", "red"), (ListOf(), [1, [2]], [1, [2]]), (Anything(), {"a": [1]}, {"a": [1]}),
    ],
)  # fmt: skip
def test_good_values_are_read(kind: ValueType, written: Any, value: Any) -> None:
    read = kind.read(node(written))
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "written", "sentence"),
    [
        (Text(), " ", "the text is empty"),
        (Text(), True, 'true is not text: put it in quotes, "true"'),
        (Text("a script"), [1], "a list is not a script"),
        (Number(), "abc", '"abc" is not a number'),
        (Number(), "1e-3", '"1e-3" is text: write it without quotes'),
        (Number(), True, "true is not a number"),
        (Number(1), 1, "1 is not a number above 1"),
        (Whole(), 2.5, "2.5 is not a whole number of at least 1"),
        (Whole(0), -1, "-1 is not a whole number of at least 0"),
        (Limit(), "often", '"often" is not a whole number of at least 0, or `unlimited`'),
        (Boolean(), "yes", '"yes" is not true or false'),
        (Boolean(), 1, "1 is not true or false"),
        (Duration(), "1:30", '"1:30" is not a time: seconds such as 3600, or text such as "8h", "30m", "1d12h"'),
        (Duration(), 0, "0 is not a time above 0"),
        (ListOf("words"), "a b", '"a b" is not a list of words'),
        (ListOf("metrics", 2), [1], "the list has 1 items, and needs at least 2"),
        (Section("metric", "a mapping with `name`"), "loss", '"loss" is not a mapping with `name`'),
        (Section("metric"), [1], "a list is not a mapping"),
    ],
)
def test_bad_values_are_told_what_they_should_be(kind: ValueType, written: Any, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        kind.read(node(written))
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("gren", '"gren" is unknown here: did you mean `green`?'),
        ("rouge", '"rouge" is unknown here: did you mean `red`?'),
        ("blue", "`blue` is not built yet: write `red`"),
        ("azure", '"azure" is unknown here: `blue` is not built yet: write `red`'),
        ("xyz", '"xyz" is unknown here: write one of `red`, `green`'),
        (3, "3 is unknown here: write one of `red`, `green`"),
    ],
)
def test_a_choice_names_the_nearest_word_and_offers_only_what_is_built(written: Any, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        COLOURS.read(Node(written))
    assert str(caught.value) == sentence


def test_a_choice_with_the_word_false_takes_the_boolean() -> None:
    assert Choice((Word("false"), Word("best"))).read(Node(False)) == "false"


def test_a_section_that_may_stand_several_times_takes_a_list() -> None:
    assert Section("x", many=True).read(node([{}])).value == [Node({})]
