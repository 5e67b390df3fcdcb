from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import yaml

from besom.sweep_config import yaml_text
from besom.sweep_config.problems import Findings
from besom.sweep_config.tree import MOST_LEVELS, Node, SyntaxProblem, plain
from besom.sweep_config.yaml_text import read_yaml

SLIPS = {
    "a: b: c\n": (1, 5, "a second `:`"),
    "a:\n\t b: 1\n": (2, 1, "a tab: YAML is indented with spaces"),
    "a: [1, 2\nb: 3\n": (2, 2, "the list `[…]` opened in line 1 is not closed, or a comma is missing"),
    "a: {x: 1\n": (2, 1, "the mapping `{…}` opened in line 1 is not closed"),
    "a: 'x\nb: 1\n": (3, 1, "the quote opened in line 1 is never closed"),
    "a:\n  b: 1\n c: 2\n": (3, 2, "not in line with what is above"),
    "- a\nb: 1\n": (2, 1, "check the indentation"),
    "a: @x\n": (1, 4, "a value cannot begin with `@`: put it in quotes"),
    "a: `x`\n": (1, 4, "a value cannot begin with ```: put it in quotes"),
    "key: - x\n": (1, 6, "a list item `- …` stands here"),
    "a: 1\nb 2\nc: 3\n": (3, 1, "line 2 has no `:`"),
    "command: [${env}, ${program}]\n": (1, 12, 'write `["${env}", "${program}"]`'),
    "a: |x\n": (1, 5, "text right after `|`"),
    "%YAML 3.0\n---\na: 1\n": (1, 1, "not YAML 1"),
}


@pytest.fixture(params=["CBaseLoader", "BaseLoader"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of PyYAML's parsers: which one there is depends on the machine."""
    monkeypatch.setattr(yaml_text, "_LOADER", getattr(yaml, request.param))


def read(text: str) -> Any:
    findings = Findings()
    root = read_yaml(text, findings)
    assert not findings.any_error, findings.errors()
    return plain(root) if root else None


def node(text: str, *path: Any) -> Node:
    found = read_yaml(text, Findings())
    for step in path:
        assert found is not None
        found = found.value[step]
    assert found is not None
    return found


def sentences(text: str) -> list[tuple[int | None, int | None, str, str]]:
    findings = Findings()
    read_yaml(text, findings)
    return [(each.line, each.column, each.key, each.sentence) for each in findings.errors()]


@pytest.mark.usefixtures("loader")
class TestWithBothParsers:
    @pytest.mark.parametrize("text", SLIPS)
    def test_a_syntax_error_is_one_sentence_at_its_place(self, text: str) -> None:
        line, column, words = SLIPS[text]
        with pytest.raises(SyntaxProblem) as caught:
            read_yaml(text, Findings())
        assert words in caught.value.sentence
        assert caught.value.line == line
        assert abs((caught.value.column or 0) - column) <= 1  # the two parsers point at neighbouring characters

    def test_places_of_keys_and_values_count_from_1(self) -> None:
        found = node("a:\n  bc: [1, x]\n", "a", "bc")
        assert (found.key_at, found.line, found.column) == ((2, 3), 2, 7)
        assert [(item.line, item.column) for item in found.value] == [(2, 8), (2, 11)]

    def test_a_control_character_is_told_with_its_place(self) -> None:
        with pytest.raises(SyntaxProblem) as caught:
            read_yaml("a: 1\nb: \x00", Findings())
        assert (caught.value.line, caught.value.column) == (2, 4)
        assert "U+0000" in caught.value.sentence

    def test_deep_nesting_is_refused_in_flow_and_in_block_style(self) -> None:
        for text in ("[" * 5000, "\n".join(" " * level + "a:" for level in range(1000))):
            with pytest.raises(SyntaxProblem, match=f"nested deeper than {MOST_LEVELS} levels"):
                read_yaml(text, Findings())

    def test_several_documents_are_refused(self) -> None:
        with pytest.raises(SyntaxProblem, match="a second document begins here"):
            read_yaml("a: 1\n---\nb: 2\n", Findings())


def test_an_empty_text_has_no_tree() -> None:
    assert read_yaml("# only a comment\n", Findings()) is None


def test_one_document_may_have_marks_around_it() -> None:
    assert read("---\na: 1\n...\n") == {"a": 1}


def test_keys_are_text_as_written() -> None:
    assert read("on: 1\n1e-3: 2\nnull: 3\n") == {"on": 1, "1e-3": 2, "null": 3}


def test_duplicate_keys_are_told_at_the_second_with_their_path() -> None:
    assert sentences("a:\n  b: 1\n  b: 2\n") == [(3, 3, "a.b", "the key `b` is given twice, first in line 2")]


def test_anchors_aliases_and_merges_work() -> None:
    text = "a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, y: 3}\nd: {<<: [*a, {y: 4, z: 5}]}\n"
    assert read(text) == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 2},
        "c": {"y": 3, "x": 1},
        "d": {"x": 1, "y": 2, "z": 5},
    }


def test_a_quoted_merge_mark_is_an_ordinary_key() -> None:
    assert read("'<<': 1\n") == {"<<": 1}


def test_an_alias_stands_where_it_was_written() -> None:
    found = node("a: &a [1]\nb: *a\n", "b")
    assert (found.line, found.column, found.key_at) == (2, 4, (2, 1))


def test_a_merge_of_something_else_is_a_problem() -> None:
    assert sentences("a: {<<: 3}\n")[0][3].startswith("`<<` takes a mapping")


@pytest.mark.parametrize(
    ("text", "words"),
    [("a: *b\n", "has no anchor above"), ("a: &a [*a]\n", "stands inside its own anchor"),
     ("? [a]\n: 1\n", "a key is a plain word"), ("&a x: 1\n*a : 2\n", "write the key out")],
)  # fmt: skip
def test_aliases_and_keys_that_make_no_sense_are_refused(text: str, words: str) -> None:
    with pytest.raises(SyntaxProblem, match=words):
        read_yaml(text, Findings())


def test_an_alias_bomb_is_refused() -> None:
    names = "abcdefghij"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]" for old, new in pairwise(names)]
    with pytest.raises(SyntaxProblem, match="more than 2,000,000 values"):
        read_yaml("\n".join(lines), Findings())


def test_tags_of_yamls_own_types_are_heeded() -> None:
    assert read("[!!float 1e-5, !!float 3, !!str 1, !!int 0x10, !!bool yes, !!null '', !!seq [1], !!map {a: 1}]") == [
        1e-05, 3.0, "1", 16, True, None, [1], {"a": 1},
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["!!python/tuple [1]", "!mine x", "!!int x", "!!set {a}", "!!binary aGk="])
def test_other_tags_are_problems(value: str) -> None:
    assert "does not fit here: leave it out" in sentences(f"a: {value}")[0][3]


def test_numbers_new_to_yaml_remember_how_they_were_written() -> None:
    assert [item.written for item in node("[1e-3, 1.0e-3, 0.001, 10, '1e-3']").value] == [
        "1e-3",
        None,
        None,
        None,
        None,
    ]
