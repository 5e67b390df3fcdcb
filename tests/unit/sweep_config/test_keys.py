from __future__ import annotations

import pytest

from besom.search import METHODS as BUILT_METHODS
from besom.space import KINDS
from besom.stopping import RULES
from besom.sweep_config.keys import METHODS, PLACES, SECTIONS, STOPPING_RULES, Key, homes, key_of
from besom.sweep_config.problems import Findings
from besom.sweep_config.value_types import Section
from besom.sweep_config.yaml_text import read_yaml

ALL = [(section, key) for section, keys in SECTIONS.items() for key in keys]


def test_methods_that_are_built_are_those_that_search_has() -> None:
    assert {word.name for word in METHODS if not word.not_built} == set(BUILT_METHODS)


def test_stopping_rules_that_are_built_are_those_that_stopping_has() -> None:
    assert {word.name for word in STOPPING_RULES if not word.not_built} == set(RULES)


def test_the_options_of_the_stopping_rules_are_in_the_table() -> None:
    table = {key.name for key in SECTIONS["early_terminate"] if key.name != "type"}
    assert table == {option for rule in RULES.values() for option in rule.options}


def test_every_option_of_a_distribution_is_in_the_table() -> None:
    options = {option.name for kind in KINDS.values() for option in kind.options}
    assert options <= {key.name for key in SECTIONS["parameter"]}


def test_eighteen_distributions_and_the_nested_one_are_nineteen_kinds() -> None:
    assert len(KINDS) + 1 == 19


@pytest.mark.parametrize(("section", "key"), ALL)
def test_every_example_is_yaml_that_its_type_accepts(section: str, key: Key) -> None:
    root = read_yaml(key.example, Findings())
    assert root is not None
    assert list(root.value) == [key.name]
    key.type.read(root.value[key.name])


@pytest.mark.parametrize(("section", "key"), ALL)
def test_every_key_says_what_it_is(section: str, key: Key) -> None:
    assert key.help.endswith(".")
    assert not (key.required and key.default)
    assert key.name not in key.also


@pytest.mark.parametrize("section", SECTIONS)
def test_names_are_given_once_in_a_section(section: str) -> None:
    names = [key.name for key in SECTIONS[section]]
    also = [word for key in SECTIONS[section] for word in key.also]
    assert len(names) == len(set(names))
    assert not set(names) & set(also)
    assert len(also) == len(set(also))


def test_every_section_that_a_key_opens_has_a_table_and_a_place() -> None:
    opened = {key.type.name for _, key in ALL if isinstance(key.type, Section)} - {"parameters"}
    assert opened <= set(SECTIONS)
    assert set(PLACES) == set(SECTIONS)


def test_a_key_is_found_by_section_and_name() -> None:
    found = key_of("metric", "goal")
    assert found is not None
    assert (found.default, key_of("metric", "min"), homes("goal")) == ("minimize", None, ["metric"])
