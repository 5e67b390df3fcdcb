"""JSON text to a tree of nodes with places; as strict as JSON is."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]  # public in fact, absent from typeshed
from typing import Any

from besom.sweep_config.problems import Findings
from besom.sweep_config.tree import INSTEAD, MOST_LEVELS, MOST_VALUES, Node, SyntaxProblem
from besom.sweep_config.yaml_scalars import as_number

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORDS = {
    "true": True, "false": False, "null": None,
    "NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf,
}  # fmt: skip
_WORD = re.compile(r"-?[A-Za-z]+")


def read_json(text: str, findings: Findings) -> Node | None:
    """The tree of a text; None for an empty one. Duplicate keys become findings; raises SyntaxProblem."""
    return _Reader(text, findings).read()


class _Reader:
    def __init__(self, text: str, findings: Findings) -> None:
        self._text = text
        self._findings = findings
        self._lines = [0] + [found.end() for found in re.finditer("\n", text)]
        self._path: list[str] = []
        self._count = 0
        self._at = 0

    def read(self) -> Node | None:
        self._skip()
        if self._at == len(self._text):
            return None
        root = self._value(0)
        self._skip()
        if self._at < len(self._text):
            raise self._problem("more text after the end of the JSON value")
        return root

    def _value(self, level: int) -> Node:
        node = Node(None, *self._place(self._at))
        self._count += 1
        if level > MOST_LEVELS:
            raise self._problem(f"nested deeper than {MOST_LEVELS} levels")
        if self._count > MOST_VALUES:
            raise self._problem(f"more than {MOST_VALUES:,} values: {INSTEAD}")
        first = self._text[self._at : self._at + 1]
        if first == "{":
            node.value = self._object(level)
        elif first == "[":
            node.value = self._array(level)
        elif first == '"':
            node.value = self._string()
        else:
            node.value = self._scalar()
        return node

    def _object(self, level: int) -> dict[str, Node]:
        members: dict[str, Node] = {}
        while self._another("}", first=not members):
            key_at = self._place(self._at)
            if self._text[self._at : self._at + 1] != '"':
                raise self._problem("a key in double quotes is expected here")
            key = self._string()
            self._skip()
            self._expect(":")
            self._path.append(key)
            child = self._value(level + 1)
            child.key_at = key_at
            if key in members:
                first = members[key].place_of_key[0]
                path = ".".join(self._path)
                self._findings.error(f"the key `{key}` is given twice, first in line {first}", path, key_at)
            self._path.pop()
            members[key] = child
        return members

    def _array(self, level: int) -> list[Node]:
        items: list[Node] = []
        while self._another("]", first=not items):
            items.append(self._value(level + 1))
        return items

    def _another(self, end: str, *, first: bool) -> bool:
        """Steps over the opening bracket or a comma; False at the closing bracket."""
        if first:
            self._at += 1
            self._skip()
        else:
            self._skip()
        if self._text[self._at : self._at + 1] == end:
            self._at += 1
            return False
        if not first:
            self._expect(",", f"`,` or `{end}`")
            if self._text[self._at : self._at + 1] == end:
                raise self._problem("a comma too many: JSON has none before a closing bracket")
        return True

    def _string(self) -> str:
        try:
            value, self._at = scanstring(self._text, self._at + 1)
        except JSONDecodeError as error:
            self._at = error.pos
            raise self._problem(f"{error.msg[0].lower()}{error.msg[1:]}") from None
        return str(value)

    def _scalar(self) -> Any:
        number = _NUMBER.match(self._text, self._at)
        if number:
            self._at = number.end()
            return as_number(number[0])
        word = _WORD.match(self._text, self._at)
        if word and word[0] in _WORDS:
            self._at = word.end()
            return _WORDS[word[0]]
        raise self._problem("not JSON: a value is expected here (text stands in double quotes)")

    def _expect(self, mark: str, shown: str = "") -> None:
        if self._text[self._at : self._at + 1] != mark:
            raise self._problem(f"{shown or f'`{mark}`'} is expected here")
        self._at += 1
        self._skip()

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _place(self, at: int) -> tuple[int, int]:
        line = bisect_right(self._lines, at)
        return line, at - self._lines[line - 1] + 1

    def _problem(self, sentence: str) -> SyntaxProblem:
        return SyntaxProblem(sentence, *self._place(self._at))
