from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from besom.space import KINDS
from besom.sweep_config import json_schema
from besom.sweep_config.keys import METHODS, SECTIONS


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for child in schema.values():
            yield from parts(child)
    elif isinstance(schema, list):
        for child in schema:
            yield from parts(child)


def test_the_schema_is_plain_json() -> None:
    assert json.loads(json.dumps(json_schema())) == json_schema()


def test_every_key_of_every_section_is_described() -> None:
    schema = json_schema()
    for section, keys in SECTIONS.items():
        found = schema if section == "sweep" else schema["definitions"][section]
        found = found["anyOf"][0] if section == "parameter" else found
        assert set(found["properties"]) == {key.name for key in keys}
        assert all(each["description"] for each in found["properties"].values())
        assert found["additionalProperties"] is False


def test_every_reference_leads_to_a_definition() -> None:
    schema = json_schema()
    references = {part["$ref"] for part in parts(schema) if isinstance(part.get("$ref"), str)}
    assert references == {f"#/definitions/{name}" for name in schema["definitions"]}


def test_nothing_stands_beside_a_reference_where_it_would_be_ignored() -> None:
    assert all(set(part) == {"$ref"} for part in parts(json_schema()) if "$ref" in part)


def test_methods_that_are_not_built_are_known_to_editors_too() -> None:
    assert json_schema()["properties"]["method"]["enum"] == [word.name for word in METHODS]


def test_each_distribution_allows_its_own_keys_only() -> None:
    rules = json_schema()["definitions"]["parameter"]["anyOf"][0]["allOf"]
    assert {rule["if"]["properties"]["distribution"]["const"] for rule in rules} == set(KINDS)
    uniform = next(rule for rule in rules if rule["if"]["properties"]["distribution"]["const"] == "uniform")
    assert uniform["then"] == {
        "required": ["min", "max"],
        "propertyNames": {"enum": ["distribution", "when", "min", "max"]},
    }


def test_what_must_be_there_is_required() -> None:
    schema = json_schema()
    assert schema["required"] == ["method", "parameters"]
    assert schema["definitions"]["metric"]["required"] == ["name"]
