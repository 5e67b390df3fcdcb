"""YAML text to a tree of nodes: PyYAML's parser gives the events, the rest is done here.

Built from events, without recursion: places of keys and values, a resolver of our own, duplicate keys found, depth
and unfolded size bounded.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from besom.sweep_config.problems import Findings
from besom.sweep_config.tree import INSTEAD, MOST_LEVELS, MOST_VALUES, Node, SyntaxProblem
from besom.sweep_config.yaml_errors import syntax_problem
from besom.sweep_config.yaml_scalars import as_number, is_new_number, resolve

_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_TAG = "tag:yaml.org,2002:"


def read_yaml(text: str, findings: Findings) -> Node | None:
    """The tree of a text with one document; None for an empty one.

    Duplicate keys and strange tags become findings; raises SyntaxProblem where nothing can be read.
    """
    builder = _Builder(findings)
    try:
        builder.take(yaml.parse(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        raise syntax_problem(error, text) from None
    return builder.root


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    node: Node
    anchor: str | None
    key: str | None = None
    key_at: tuple[int, int] | None = None
    size: int = 1
    merges: list[tuple[Node, int]] = field(default_factory=list)


class _Builder:
    def __init__(self, findings: Findings) -> None:
        self.root: Node | None = None
        self._findings = findings
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int] | None] = {}
        self._documents = 0

    def take(self, events: Iterable[Any]) -> None:
        for event in events:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._start(event, {} if kind is yaml.MappingStartEvent else [])
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._end()
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                self._document(event)

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            raise SyntaxProblem("a second document begins here (`---`): a sweep file holds one sweep", *_place(event))

    def _scalar(self, event: Any) -> None:
        parent = self._open[-1] if self._open else None
        if parent and parent.key is None and isinstance(parent.node.value, dict):
            parent.key, parent.key_at = event.value, _place(event)
            if event.value == "<<" and not event.implicit[0]:
                parent.key = "<<\0"  # a quoted "<<" is an ordinary key
            return
        node = Node(None, *_place(event))
        node.value = self._value(event, node)
        self._add(node, 1, event.anchor)

    def _value(self, event: Any, node: Node) -> Any:
        text: str = event.value
        if event.tag is not None and event.tag != "!":
            return self._tagged(event.tag, text, node)
        if not event.implicit[0]:
            return text
        value = resolve(text)
        if isinstance(value, float) and is_new_number(text):
            node.written = text
        return value

    def _tagged(self, tag: str, text: str, node: Node) -> Any:
        kind = tag.removeprefix(_TAG)
        value = resolve(text)
        if kind == "str":
            return text
        if kind == "float" and as_number(text) is not None:
            return float(value)
        fits = {"int": int, "bool": bool, "null": type(None), "float": float}
        if kind in fits and type(value) is fits[kind]:
            return value
        self._findings.error(f"the tag `{_tag_shown(tag)}` does not fit here: leave it out", at=node)
        return value

    def _start(self, event: Any, empty: dict[str, Node] | list[Node]) -> None:
        place = _place(event)
        if self._in_key():
            raise SyntaxProblem("a list or mapping stands where a key is expected: a key is a plain word", *place)
        if len(self._open) >= MOST_LEVELS:
            raise SyntaxProblem(f"nested deeper than {MOST_LEVELS} levels", *place)
        node = Node(empty, *place)
        if event.tag not in (None, "!", f"{_TAG}map" if isinstance(empty, dict) else f"{_TAG}seq"):
            self._findings.error(f"the tag `{_tag_shown(event.tag)}` does not fit here: leave it out", at=node)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._open.append(_Open(node, event.anchor))

    def _end(self) -> None:
        done = self._open.pop()
        for merged, size in done.merges:
            done.size += size
            for key, child in merged.value.items():
                done.node.value.setdefault(key, child)
        self._add(done.node, done.size, done.anchor)

    def _alias(self, event: Any) -> None:
        if self._in_key():
            raise SyntaxProblem("an alias stands where a key is expected: write the key out", *_place(event))
        if event.anchor not in self._anchors:
            raise SyntaxProblem(
                f"`*{event.anchor}` has no anchor above: write `&{event.anchor}` before the value it stands for, "
                "or put the text in quotes",
                *_place(event),
            )
        anchored = self._anchors[event.anchor]
        if anchored is None:
            raise SyntaxProblem(f"`*{event.anchor}` stands inside its own anchor `&{event.anchor}`", *_place(event))
        node = copy.copy(anchored[0])
        node.line, node.column = _place(event)
        self._add(node, anchored[1], None)

    def _in_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].node.value, dict) and self._open[-1].key is None

    def _add(self, node: Node, size: int, anchor: str | None) -> None:
        """Puts a finished node where it belongs."""
        if anchor:
            self._anchors[anchor] = (node, size)
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        parent.size += size
        if parent.size > MOST_VALUES:
            raise SyntaxProblem(f"more than {MOST_VALUES:,} values, aliases unfolded: {INSTEAD}")
        if isinstance(parent.node.value, list):
            parent.node.value.append(node)
        else:
            self._add_entry(parent, node, size)

    def _add_entry(self, parent: _Open, node: Node, size: int) -> None:
        key, parent.key = parent.key or "", None
        node.key_at = parent.key_at
        if key == "<<":
            self._merge(parent, node, size)
            return
        key = "<<" if key == "<<\0" else key
        if key in parent.node.value:
            first = parent.node.value[key].place_of_key[0]
            path = ".".join([*(each.key for each in self._open if each.key), key])
            self._findings.error(f"the key `{key}` is given twice, first in line {first}", path, parent.key_at)
        parent.node.value[key] = node

    def _merge(self, parent: _Open, node: Node, size: int) -> None:
        sources = node.value if isinstance(node.value, list) else [node]
        for source in sources:
            if isinstance(source.value, dict):
                parent.merges.append((source, size))
            else:
                self._findings.error("`<<` takes a mapping or a list of mappings, such as `<<: *name`", "<<", node)


def _place(event: Any) -> tuple[int, int]:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1


def _tag_shown(tag: str) -> str:
    return tag.replace(_TAG, "!!")
