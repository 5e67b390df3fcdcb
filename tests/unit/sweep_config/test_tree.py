from __future__ import annotations

from typing import Any

import pytest

from besom.sweep_config.tree import Node, plain, scalars, shown

TREE = Node({"a": Node([Node(1), Node({"b": Node("x")})]), "c": Node(None)})


def test_plain_drops_the_places() -> None:
    assert plain(TREE) == {"a": [1, {"b": "x"}], "c": None}


def test_scalars_have_their_paths() -> None:
    assert [(key, node.value) for key, node in scalars(TREE)] == [("a[0]", 1), ("a[1].b", "x"), ("c", None)]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "nothing"), (True, "true"), (0.001, "0.001"), ("x", '"x"'), ([], "an empty list"), ([1], "a list"),
     ({}, "an empty mapping"), ({"a": 1}, "a mapping"), ("a\x1b[31m", '"a\ufffd[31m"')],
)  # fmt: skip
def test_values_are_shown_as_words(value: Any, text: str) -> None:
    assert shown(value) == text


def test_long_text_is_cut() -> None:
    assert shown("x" * 100) == '"' + "x" * 37 + '…"'


def test_numbers_are_shown_as_they_were_written() -> None:
    assert shown(Node(0.001, written="1e-3")) == "1e-3"
