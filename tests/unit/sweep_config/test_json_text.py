from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besom.sweep_config.json_text import read_json
from besom.sweep_config.problems import Findings
from besom.sweep_config.tree import SyntaxProblem, plain

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=12,
)


def read(text: str) -> Any:
    root = read_json(text, Findings())
    return plain(root) if root else None


@given(JSON, st.sampled_from([None, 1, "\t"]))
def test_reads_what_pythons_json_writes(value: Any, indent: Any) -> None:
    assert read(json.dumps(value, indent=indent)) == value


def test_places_count_from_1() -> None:
    root = read_json('{\n\t"a": [1,\n  "x"]\n}', Findings())
    assert root is not None
    child = root.value["a"]
    assert (child.key_at, child.line, child.column) == ((2, 2), 2, 7)
    assert (child.value[1].line, child.value[1].column) == (3, 3)


def test_surrogate_pairs_are_one_character() -> None:
    assert read('"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


def test_python_words_for_numbers_that_are_not_finite_are_read() -> None:
    assert read("[Infinity, -Infinity, 1E400]") == [float("inf"), float("-inf"), float("inf")]


def test_exponents_make_floats() -> None:
    assert [type(value) for value in read("[1, 1e2, 1E-5, 1.5, -0]")] == [int, float, float, float, int]


def test_an_empty_text_has_no_tree() -> None:
    assert read_json(" \n", Findings()) is None


def test_duplicate_keys_are_told_with_their_path() -> None:
    findings = Findings()
    read_json('{"a": {"b": 1,\n "b": 2}}', findings)
    assert [(each.line, each.column, each.key) for each in findings.errors()] == [(2, 2, "a.b")]


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ('{"a": 1,}', 1, 9, "a comma too many"),
        ("[1, 2,]", 1, 7, "a comma too many"),
        ("[1 2]", 1, 4, "`,` or `]` is expected"),
        ("{'a': 1}", 1, 2, "a key in double quotes"),
        ('{"a" 1}', 1, 6, "`:` is expected"),
        ('{"a": tru}', 1, 7, "a value is expected here"),
        ('{"a": }', 1, 7, "a value is expected here"),
        ('{"a": 1}\n x', 2, 2, "more text after the end"),
        ('{"a": "x', 1, 7, "unterminated string"),
        ('{"a": "x\ny"}', 1, 9, "invalid control character"),
        ('["\\q"]', 1, 3, "invalid \\escape"),
        ('{"a": 1', 1, 8, "`,` or `}` is expected"),
        ("{", 1, 2, "a key in double quotes"),
        ("[" * 100_000, 1, 66, "nested deeper than 64 levels"),
    ],
)
def test_slips_are_one_sentence_at_their_place(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(SyntaxProblem) as caught:
        read_json(text, Findings())
    assert (caught.value.line, caught.value.column) == (line, column)
    assert words in caught.value.sentence
