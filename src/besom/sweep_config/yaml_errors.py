"""YAML's syntax errors in words that say what to write instead.

PyYAML has two parsers (C and Python) with a text of its own each; both are matched by the part they share.
"""

from __future__ import annotations

import re

import yaml

from besom.sweep_config.tree import SyntaxProblem

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_MACRO_IN_FLOW = re.compile(r"[\[,]\s*\$\{")

# What the parser says (both parsers' texts) → our sentence; {line} is where the surrounding thing began.
_SENTENCES = (
    (r"mapping values are not allowed", "a second `:`: check the indentation, or quote text that holds `: `"),
    (r"sequence entries are not allowed", "a list item `- …` stands here: begin it on a line of its own"),
    (r"expected ',' or '\]'", "the list `[…]` opened in line {line} is not closed, or a comma is missing"),
    (r"expected ',' or '\}'", "the mapping `{{…}}` opened in line {line} is not closed, or a comma is missing"),
    (r"unexpected end of stream", "the quote opened in line {line} is never closed"),
    (r"could not find expected ':'", "line {line} has no `:`: write `key: value`"),
    (r"unknown escape character", "an unknown `\\` escape in double quotes: write `\\\\`, or use single quotes"),
    (r"expected '-' indicator|but found '\?'", "this line is not part of the list above it: check the indentation"),
    (r"but found '[\]}]'", "a closing bracket without an opening one"),
    (r"expected key|<block mapping start>|<block end>", "not in line with what is above: check the indentation"),
    (r"tab character", "a tab: YAML is indented with spaces"),
    (r"expected (comment or line break|chomping)", "text right after `|` or `>`: begin it on the next line"),
    (r"incompatible YAML", "this is not YAML 1: leave the `%YAML` line out"),
)  # fmt: skip


def syntax_problem(error: yaml.YAMLError, text: str) -> SyntaxProblem:
    """The one problem that a text with a syntax error has."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return _unreadable(text, str(error))
    line, column = mark.line, mark.column
    source = text.splitlines()[line : line + 1]
    here = source[0][column : column + 1] if source else ""
    context = getattr(error, "context_mark", None) or mark
    return SyntaxProblem(
        _sentence(str(getattr(error, "problem", "")), here, source, context.line), line + 1, column + 1
    )


def _sentence(said: str, here: str, source: list[str], context_line: int) -> str:
    if "cannot start any token" in said:
        if here == "\t":
            return "a tab: YAML is indented with spaces"
        return f"a value cannot begin with `{here}`: put it in quotes" if here else f"not YAML: {said}"
    if re.search(r"expected ',' or ", said) and source and _MACRO_IN_FLOW.search(source[0]):
        return 'inside `[…]` a macro stands in quotes: write `["${env}", "${program}"]`'
    for pattern, sentence in _SENTENCES:
        if re.search(pattern, said):
            return sentence.format(line=context_line + 1)
    return f"not YAML: {said}"


def _unreadable(text: str, said: str) -> SyntaxProblem:
    found = _UNPRINTABLE.search(text)
    if not found:
        return SyntaxProblem(f"not YAML: {said.splitlines()[0]}")
    before = text[: found.start()]
    line, column = before.count("\n") + 1, found.start() - (before.rfind("\n") + 1) + 1
    return SyntaxProblem(f"a character that no text file holds (U+{ord(found[0]):04X})", line, column)
