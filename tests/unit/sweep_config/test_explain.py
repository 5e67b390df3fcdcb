from __future__ import annotations

import pytest

from besom.command import MACROS
from besom.errors import UsageError
from besom.space import KINDS
from besom.sweep_config import explain
from besom.sweep_config.keys import METHODS, PLACES, SECTIONS, STOPPING_RULES

NAMES = sorted({key.name for keys in SECTIONS.values() for key in keys})


@pytest.mark.parametrize("name", NAMES)
def test_every_key_is_explained_in_lines_of_80_columns(name: str) -> None:
    text = explain(name)
    assert all(len(line) <= 80 for line in text.splitlines() if "example" not in line and "default" not in line)


@pytest.mark.parametrize("name", [*KINDS, *MACROS, *(word.name for word in (*METHODS, *STOPPING_RULES))])
def test_every_distribution_macro_method_and_rule_is_explained(name: str) -> None:
    assert name in explain(name)


@pytest.mark.parametrize(
    ("section", "name"),
    [(section, key.name) for section, keys in SECTIONS.items() for key in keys if section != "parameter"],
)
def test_a_key_is_found_by_its_whole_path(section: str, name: str) -> None:
    assert explain(PLACES[section] + name).splitlines()[0] == PLACES[section] + name


def test_a_parameters_key_is_found_below_any_name() -> None:
    assert explain("parameters.lr.min").startswith("parameters.NAME.min\n  The lower bound.")


def test_a_key_tells_type_default_example_and_choices() -> None:
    assert explain("goal") == (
        "metric.goal\n  Which way is better.\n\n"
        "  type     one of `minimize`, `maximize`\n  default  minimize\n  example  goal: maximize"
    )


def test_a_name_in_several_sections_is_explained_for_each() -> None:
    assert [part.splitlines()[0] for part in explain("name").split("\n\n") if not part.startswith(" ")] == [
        "name",
        "metric.name",
    ]


def test_what_is_not_built_says_so() -> None:
    assert "not built  refused for now: leave it out" in explain("when")
    assert "not built yet: write `random` or `grid`" in " ".join(explain("bayes").split())


def test_an_unknown_key_is_an_error_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="there is no key `metrik`: did you mean `metric`"):
        explain("metrik")
