from __future__ import annotations

from typing import Any

import pytest

from besom.sweep_config.parse import parse
from besom.sweep_config.problems import Findings
from besom.sweep_config.tree import plain


def sentence(source: Any, form: Any = "yaml") -> str:
    findings = Findings("f.yaml")
    parse(source, form, findings)
    (problem,) = findings.errors()
    return f"{problem.line}:{problem.column}: {problem.key}: {problem.sentence}"


@pytest.mark.parametrize("text", ["", "  \n", "# nothing\n", "---\n", "null"])
def test_an_empty_file_is_one_problem(text: str) -> None:
    assert sentence(text) == "None:None: : the file is empty"


def test_an_empty_object_says_so() -> None:
    assert sentence(None) == "None:None: : the sweep config is empty"


@pytest.mark.parametrize(
    ("text", "noun"),
    [("- a\n", "a list"), ("just words", 'the single value "just words"'), ("3", "the single value 3")],
)
def test_a_file_that_is_no_mapping_is_one_problem(text: str, noun: str) -> None:
    assert sentence(text) == f"1:1: : a sweep config is a mapping of keys such as `method: random`, not {noun}"


def test_a_syntax_error_is_one_problem_at_its_place() -> None:
    assert sentence("a: [1\n").startswith("2:1: : the list `[…]` opened in line 1 is not closed")


def test_a_byte_order_mark_is_skipped() -> None:
    findings = Findings()
    root = parse("\ufeffa: 1", "yaml", findings)
    assert root is not None
    assert (plain(root), findings.errors()) == ({"a": 1}, [])


@pytest.mark.parametrize("value", [".inf", "-.inf", ".nan", "1e999"])
def test_numbers_that_are_not_finite_are_told_at_their_place(value: str) -> None:
    assert sentence(f"a: {{b: [1, {value}]}}").startswith("1:12: a.b[1]: not a finite number")


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1])
def test_whole_numbers_beyond_64_bits_are_told(value: int) -> None:
    assert "more than 64 bits" in sentence({"a": value})


@pytest.mark.parametrize("value", [2**64 - 1, -(2**63)])
def test_whole_numbers_of_64_bits_are_fine(value: int) -> None:
    findings = Findings()
    parse({"a": value}, "yaml", findings)
    assert findings.errors() == []


def test_text_with_a_zero_byte_is_told() -> None:
    assert "zero byte" in sentence({"a": "x\0y"})


def test_half_a_surrogate_pair_is_told_in_objects_and_in_json() -> None:
    assert "half of a surrogate pair" in sentence({"a": "x\ud800"})
    assert "half of a surrogate pair" in sentence('{"a": "\\ud800"}', "json")


def test_a_text_that_is_no_unicode_is_told() -> None:
    assert "not valid Unicode" in sentence("a: \ud800")
