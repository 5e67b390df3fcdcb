"""Python objects to a tree of nodes without places: what `besom.sweep(dict)` and the server's JSON bring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from besom.sweep_config.problems import Findings
from besom.sweep_config.tree import INSTEAD, MOST_LEVELS, MOST_VALUES, Node, SyntaxProblem


def read_object(value: Any, findings: Findings) -> Node:
    """The tree of a JSON-like object.

    Dict-like objects, tuples, ranges and NumPy's and torch's scalars and arrays are taken as what JSON would make of
    them; anything else becomes a finding at its key path. Raises SyntaxProblem for endless or huge objects.
    """
    return _Reader(findings).read(value, "", 0)


class _Reader:
    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._count = 0

    def read(self, value: Any, key: str, level: int) -> Node:
        self._count += 1
        if level > MOST_LEVELS:
            raise SyntaxProblem(f"nested deeper than {MOST_LEVELS} levels, or a part that contains itself")
        if self._count > MOST_VALUES:
            raise SyntaxProblem(f"more than {MOST_VALUES:,} values: {INSTEAD}")
        if value is None or isinstance(value, (bool, str)):
            return Node(value if value is None or isinstance(value, bool) else str(value))
        if isinstance(value, int):
            return Node(int(value))
        if isinstance(value, float):
            return Node(float(value))
        return Node(self._collection(value, key, level))

    def _collection(self, value: Any, key: str, level: int) -> Any:
        value = _unwrapped(value)
        if isinstance(value, Mapping):
            return self._mapping(value.items(), key, level)
        if isinstance(value, (list, tuple, range)):
            return [self.read(item, f"{key}[{index}]", level + 1) for index, item in enumerate(value)]
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        self._findings.error(
            f"a {type(value).__name__} object is no part of a sweep config: write numbers, text, lists and dicts", key
        )
        return None

    def _mapping(self, items: Iterable[tuple[Any, Any]], key: str, level: int) -> dict[str, Node]:
        members: dict[str, Node] = {}
        for name, item in items:
            if not isinstance(name, (str, int, float, bool, type(None))):
                self._findings.error(f"the key {name!r} is not text", key)
                continue
            text = _json_key(name)
            members[text] = self.read(item, f"{key}.{text}" if key else text, level + 1)
        return members


def _unwrapped(value: Any) -> Any:
    """NumPy's and torch's scalars and arrays as Python values, dict-like objects as dicts."""
    if isinstance(value, (Mapping, list, tuple, range)):
        return value
    for unwrap in ("tolist", "item"):
        method = getattr(value, unwrap, None)
        if callable(method):
            return method()
    keys = getattr(value, "keys", None)
    if callable(keys) and hasattr(value, "__getitem__"):
        return {name: value[name] for name in keys()}
    return value


def _json_key(name: Any) -> str:
    if isinstance(name, str):
        return str(name)
    if name is None:
        return "null"
    if isinstance(name, bool):
        return "true" if name else "false"
    return str(name)
