"""The types that keys of a sweep file can have: how each is named, read and put into a JSON Schema."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from besom.sweep_config.problems import nearest_word
from besom.sweep_config.tree import Node, plain, shown
from besom.sweep_config.yaml_scalars import as_number

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?\s*[smhdw]\s*)+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")


class ValueType(Protocol):
    """What a key's value may be. ``words`` completes "… is not"."""

    @property
    def words(self) -> str:
        """The type in words: ``a whole number of at least 1``."""

    def read(self, node: Node) -> Any:
        """The value; raises ValueError with a sentence."""

    def schema(self) -> dict[str, Any]:
        """The type as JSON Schema."""


@dataclass(frozen=True, slots=True)
class Text:
    """Text that is not empty."""

    words: str = "text"

    def read(self, node: Node) -> str:
        """The text; a number is told how to become one."""
        value = node.value
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, str):
            raise ValueError("the text is empty")
        if isinstance(value, (bool, int, float)):
            raise ValueError(f'{shown(node)} is not text: put it in quotes, "{shown(node)}"')
        raise ValueError(f"{shown(node)} is not {self.words}")

    def schema(self) -> dict[str, Any]:
        """A string."""
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True)
class FreeText:
    """Text that may be empty."""

    words: str = "text"

    def read(self, node: Node) -> str:
        """The text; nothing at all is empty text."""
        return "" if node.value in (None, "") else Text().read(node)

    def schema(self) -> dict[str, Any]:
        """A string or null."""
        return {"type": ["string", "null"]}


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number, above ``above`` if that is given."""

    above: float | None = None

    @property
    def words(self) -> str:
        """``a number above 1``."""
        return "a number" if self.above is None else f"a number above {self.above:g}"

    def read(self, node: Node) -> int | float:
        """The number."""
        value = _number(node, self.words)
        if self.above is not None and value <= self.above:
            raise ValueError(f"{shown(node)} is not {self.words}")
        return value

    def schema(self) -> dict[str, Any]:
        """A number."""
        return {"type": "number"} | ({} if self.above is None else {"exclusiveMinimum": self.above})


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number of at least ``least``; ``27.0`` is one."""

    least: int = 1

    @property
    def words(self) -> str:
        """``a whole number of at least 1``."""
        return f"a whole number of at least {self.least}"

    def read(self, node: Node) -> int:
        """The number as an int."""
        value = _number(node, self.words)
        if value != math.floor(value) or value < self.least:
            raise ValueError(f"{shown(node)} is not {self.words}")
        return int(value)

    def schema(self) -> dict[str, Any]:
        """An integer."""
        return {"type": "integer", "minimum": self.least}


@dataclass(frozen=True, slots=True)
class Limit:
    """A whole number from 0, or the word ``unlimited`` (read as None)."""

    words: str = "a whole number of at least 0, or `unlimited`"

    def read(self, node: Node) -> int | None:
        """The number; None for ``unlimited``."""
        if node.value == "unlimited":
            return None
        if isinstance(node.value, str):
            raise ValueError(f"{shown(node)} is not {self.words}")
        return Whole(0).read(node)

    def schema(self) -> dict[str, Any]:
        """An integer or the word."""
        return {"anyOf": [{"type": "integer", "minimum": 0}, {"const": "unlimited"}]}


@dataclass(frozen=True, slots=True)
class Boolean:
    """True or false."""

    words: str = "true or false"

    def read(self, node: Node) -> bool:
        """The boolean."""
        if not isinstance(node.value, bool):
            raise ValueError(f"{shown(node)} is not {self.words}")
        return node.value

    def schema(self) -> dict[str, Any]:
        """A boolean."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Duration:
    """Seconds, or text such as ``8h``; read as seconds."""

    words: str = 'a time: seconds such as 3600, or text such as "8h", "30m", "1d12h"'

    def read(self, node: Node) -> float:
        """The time in seconds."""
        value = node.value
        if isinstance(value, str) and _DURATION.fullmatch(value.strip()):
            seconds = sum(float(amount) * _UNITS[unit] for amount, unit in _DURATION_PART.findall(value))
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            seconds = float(value)
        else:
            raise ValueError(f"{shown(node)} is not {self.words}")
        if not 0 < seconds < math.inf:
            raise ValueError(f"{shown(node)} is not a time above 0")
        return seconds

    def schema(self) -> dict[str, Any]:
        """A number or text."""
        text = {"type": "string", "pattern": r"^[0-9.smhdw\s]+$"}
        return {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, text]}


@dataclass(frozen=True, slots=True)
class Word:
    """A word that a key can have as its value. ``not_built``: what to write as long as its work is missing."""

    name: str
    help: str = ""
    not_built: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words; ``also`` maps other people's words to ours for the hint."""

    options: tuple[Word, ...]
    also: Mapping[str, str] | None = None

    @property
    def words(self) -> str:
        """The words whose work is built."""
        built = [f"`{option.name}`" for option in self.options if not option.not_built]
        return built[0] if len(built) == 1 else "one of " + ", ".join(built)

    def read(self, node: Node) -> str:
        """The word. YAML's ``false`` is taken for the word."""
        value = "false" if node.value is False else node.value
        option = self._option(value)
        if option is None:
            raise ValueError(f"{shown(node)} is unknown here: {self._hint(value)}")
        if option.not_built:
            raise ValueError(f"`{option.name}` is not built yet: {option.not_built}")
        return option.name

    def schema(self) -> dict[str, Any]:
        """An enum, of what is not built yet too."""
        return {"enum": [option.name for option in self.options]}

    def _option(self, name: Any) -> Word | None:
        return next((option for option in self.options if option.name == name), None)

    def _hint(self, value: Any) -> str:
        names = [option.name for option in self.options]
        nearest = self._option(nearest_word(value, names, also=self.also) if isinstance(value, str) else None)
        if nearest is None:
            return f"write {self.words}"
        if nearest.not_built:
            return f"`{nearest.name}` is not built yet: {nearest.not_built}"
        return f"did you mean `{nearest.name}`?"


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of at least ``least`` items."""

    what: str = "values"
    least: int = 0
    items: Mapping[str, Any] | None = None

    @property
    def words(self) -> str:
        """``a list of values``."""
        return f"a list of {self.what}" + (f", at least {self.least}" if self.least > 1 else "")

    def read(self, node: Node) -> list[Any]:
        """The plain items."""
        if not isinstance(node.value, list):
            raise ValueError(f"{shown(node)} is not {self.words}")
        if len(node.value) < self.least:
            raise ValueError(f"the list has {len(node.value)} items, and needs at least {self.least}")
        return [plain(item) for item in node.value]

    def schema(self) -> dict[str, Any]:
        """An array."""
        return {"type": "array", "minItems": self.least} | ({"items": dict(self.items)} if self.items else {})


@dataclass(frozen=True, slots=True)
class Anything:
    """Any value."""

    words: str = "any value"

    def read(self, node: Node) -> Any:
        """The plain value."""
        return plain(node)

    def schema(self) -> dict[str, Any]:
        """No condition."""
        return {}


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping with a table of keys of its own; ``many``: a list of such mappings will do as well."""

    name: str
    words: str = "a mapping"
    many: bool = False

    def read(self, node: Node) -> Node:
        """The node itself, for whoever reads the section."""
        fits = isinstance(node.value, dict) or (self.many and isinstance(node.value, list))
        if not fits:
            raise ValueError(f"{shown(node)} is not {self.words}")
        return node

    def schema(self) -> dict[str, Any]:
        """A reference to the section."""
        reference = {"$ref": f"#/definitions/{self.name}"}
        return {"anyOf": [reference, {"type": "array", "items": reference}]} if self.many else reference


def _number(node: Node, words: str) -> int | float:
    value = node.value
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return value
    if isinstance(value, str) and as_number(value.strip()) is not None:
        raise ValueError(f"{shown(node)} is text: write it without quotes")
    raise ValueError(f"{shown(node)} is not {words}")
