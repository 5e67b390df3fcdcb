"""The tables of keys as a JSON Schema, for editors that complete and check sweep files."""

from __future__ import annotations

from typing import Any

from besom.space import KINDS, Kind
from besom.sweep_config.keys import PARAMETER_NAME, SECTIONS, Key
from besom.sweep_config.value_types import Anything, Section


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft-07) of a sweep file; it describes what is not built yet too."""
    definitions = {section: _section(section) for section in SECTIONS if section not in ("sweep", "parameter")}
    definitions["parameters"] = {
        "type": "object",
        "minProperties": 1,
        "patternProperties": {PARAMETER_NAME: {"$ref": "#/definitions/parameter"}},
        "additionalProperties": False,
    }
    definitions["parameter"] = _parameter()
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Besom sweep"}
    return head | _section("sweep") | {"definitions": definitions}


def _section(section: str) -> dict[str, Any]:
    keys = SECTIONS[section]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {key.name: _key(key) for key in keys},
        "additionalProperties": False,
    }
    required = [key.name for key in keys if key.required]
    return schema | ({"required": required} if required else {})


def _key(key: Key) -> dict[str, Any]:
    help_text = key.help + (f" Not built yet: {key.not_built}." if key.not_built else "")
    schema = key.type.schema()
    if not key.required and not isinstance(key.type, (Anything, Section)):
        schema = {"anyOf": [schema, {"type": "null"}]}
    if "$ref" in schema:
        schema = {"allOf": [schema]}  # draft-07 ignores whatever stands beside a $ref
    return {"description": help_text} | schema | {"examples": [key.example]}


def _parameter() -> dict[str, Any]:
    """A mapping whose `distribution` decides what else it holds; a bare value or list; a group."""
    mapping = _section("parameter")
    mapping["properties"]["distribution"]["enum"] = list(KINDS)
    mapping["properties"]["distribution"].pop("anyOf", None)
    mapping["allOf"] = [_kind(kind) for kind in KINDS.values()]
    return {"anyOf": [mapping, {"type": ["number", "string", "boolean"]}, {"type": "array", "minItems": 1}]}


def _kind(kind: Kind) -> dict[str, Any]:
    return {
        "if": {"properties": {"distribution": {"const": kind.name}}, "required": ["distribution"]},
        "then": {
            "required": [option.name for option in kind.options if option.required],
            "propertyNames": {"enum": ["distribution", "when", *(option.name for option in kind.options)]},
        },
    }
