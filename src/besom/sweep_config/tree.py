"""A JSON-like value that remembers where each of its parts was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# Deeper than any config that a person wrote, and far from Python's recursion limit.
MOST_LEVELS = 64
# What aliases may unfold to: a file of a few hundred bytes can otherwise stand for more than any memory.
MOST_VALUES = 2_000_000
MAX_FILE_BYTES = 32 * 1024 * 1024
# What to write where a list is too long.
INSTEAD = "describe them by a distribution, such as `min` and `max` with `q` for steps"


class SyntaxProblem(Exception):
    """The text is not YAML or JSON, or not within bounds; line and column from 1."""

    def __init__(self, sentence: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.line = line
        self.column = column


@dataclass(slots=True)
class Node:
    """A value with its place; lines and columns count from 1, None for what was never text.

    ``value`` is a scalar, a list of nodes, or a dict from text to nodes. ``key_at`` is the place of the key that
    leads here. ``written`` is the text of a number that YAML 1.1 would have read as text (``1e-3``).
    """

    value: Any
    line: int | None = None
    column: int | None = None
    key_at: tuple[int | None, int | None] | None = None
    written: str | None = None

    @property
    def place_of_key(self) -> tuple[int | None, int | None]:
        """Where the key stands that leads here, else where the value stands."""
        return self.key_at or (self.line, self.column)


def plain(node: Node) -> Any:
    """The value without places: scalars, lists and dicts."""
    value = node.value
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, list):
        return [plain(child) for child in value]
    return value


def scalars(node: Node, key: str = "") -> Iterator[tuple[str, Node]]:
    """Every scalar below a node with its dotted path."""
    value = node.value
    if isinstance(value, dict):
        for name, child in value.items():
            yield from scalars(child, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            # Lists may be long: no generator for each of their items.
            if isinstance(child.value, (dict, list)):
                yield from scalars(child, f"{key}[{index}]")
            else:
                yield f"{key}[{index}]", child
    else:
        yield key, node


def shown(value: Any, most: int = 40) -> str:
    """A value as it appears in a sentence: JSON-like words, cut when long."""
    if isinstance(value, Node):
        if value.written is not None:
            return value.written
        value = value.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, (list, tuple)):
        return "a list" if value else "an empty list"
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return text if len(text) <= most else text[: most - 2] + "…" + ('"' if isinstance(value, str) else "")
