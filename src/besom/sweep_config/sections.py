"""Reads a mapping of a sweep file by its table of keys: unknown keys, types, what is not built yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from besom.sweep_config.keys import PLACES, SECTIONS, Key, homes, key_of
from besom.sweep_config.problems import Findings, did_you_mean
from besom.sweep_config.tree import Node
from besom.sweep_config.value_types import Section


@dataclass(frozen=True, slots=True)
class Fields:
    """A section as read: each good key's value, and every known key's node. ``path`` ends in a dot, or is empty."""

    path: str
    values: dict[str, Any]
    nodes: dict[str, Node]


def read_section(node: Node, section: str, path: str, findings: Findings) -> Fields:
    """The keys of a section; what is wrong with them becomes findings.

    Sections inside are Fields (a list of Fields where several may stand), ``parameters`` stays a Node.
    """
    fields = Fields(path, {}, {})
    for name, child in node.value.items():
        key = key_of(section, name)
        if key is None:
            findings.error(unknown_key(section, name, child), path + name, child.place_of_key)
            continue
        fields.nodes[name] = child
        _read_key(key, child, fields, findings)
    for key in SECTIONS[section]:
        if key.required and key.name not in fields.nodes:
            place = (1, 1) if section == "sweep" and node.line else node.place_of_key
            findings.error(f"`{key.name}` is missing: add `{key.example}`", path + key.name, place)
    return fields


def _read_key(key: Key, node: Node, fields: Fields, findings: Findings) -> None:
    path = fields.path + key.name
    if key.not_built:
        findings.error(f"`{key.name}` is not built yet: {key.not_built}", path, node.place_of_key)
    if key.unused:
        findings.note(f"`{key.name}` is not used: {key.unused}", path, node.place_of_key)
    if node.value is None and not key.unused:
        _read_empty(key, node, path, findings)
        return
    try:
        value = key.type.read(node)
    except ValueError as error:
        findings.error(_with_hint(str(error), key), path, node)
        return
    if isinstance(key.type, Section) and key.type.name != "parameters":
        value = _read_inside(key.type, node, path, findings)
    if not key.not_built and not key.unused:
        fields.values[key.name] = value


def _read_empty(key: Key, node: Node, path: str, findings: Findings) -> None:
    if key.required:
        findings.error(f"`{key.name}` is empty: write for example `{key.example}`", path, node.place_of_key)
    else:
        findings.note(f"`{key.name}` is empty, as if it were not there", path, node.place_of_key)


def _read_inside(section: Section, node: Node, path: str, findings: Findings) -> Fields | list[Fields]:
    if not section.many:
        return read_section(node, section.name, f"{path}.", findings)
    if isinstance(node.value, dict):
        return [read_section(node, section.name, f"{path}.", findings)]
    several = []
    for index, item in enumerate(node.value):
        where = f"{path}[{index}]"
        if isinstance(item.value, dict):
            several.append(read_section(item, section.name, f"{where}.", findings))
        else:
            findings.error(f"not {section.words}", where, item)
    return several


def _with_hint(sentence: str, key: Key) -> str:
    """The sentence with what to write instead, unless it says so already."""
    if ": " in sentence:
        return f"{sentence}, or {key.instead}" if key.instead else sentence
    return f"{sentence}: {key.instead or f'write for example `{key.example}`'}"


def unknown_key(section: str, name: str, node: Node) -> str:
    """The sentence about a key that its section does not have."""
    also = {word: key.name for key in SECTIONS[section] for word in key.also}
    if name in also:
        return f"unknown key `{name}`: did you mean `{also[name]}`?"
    if section == "sweep" and _is_parameter(node):
        return f"unknown key `{name}`: if it is a parameter, indent it below `parameters:`"
    elsewhere = [PLACES[home] + name for home in homes(name) if home != section]
    if elsewhere:
        return f"`{name}` is no key here: write it as " + " or ".join(f"`{place}`" for place in elsewhere)
    names = [key.name for key in SECTIONS[section]]
    hint = did_you_mean(name, names, also=also)
    if not hint:
        known = ", ".join(f"`{each}`" for each in names)
        hint = ": correct it or leave it out" if len(names) > 12 else f": known here are {known}"
    return f"unknown key `{name}`{hint}"


def _is_parameter(node: Node) -> bool:
    return isinstance(node.value, dict) and bool(node.value) and all(key_of("parameter", key) for key in node.value)
