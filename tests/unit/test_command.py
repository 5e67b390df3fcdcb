from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from besom.command import DEFAULT_COMMAND, ENVVAR_MACRO, MACROS, expand, flatten, unknown_macros
from besom.errors import UsageError


def argv(command: Any, params: dict[str, Any] | None = None, **given: Any) -> list[str]:
    facts: dict[str, Any] = {"program": "train.py", "environ": {}, "json_file": "p.json"} | given
    return expand(command, params=params or {}, **facts)


@pytest.mark.parametrize("macro", [macro for macro in MACROS if macro != ENVVAR_MACRO])
def test_every_macro_of_the_table_expands(macro: str) -> None:
    words = argv([macro], {"a": 1, "b": {"c": True}})
    assert words
    assert all("${" not in word for word in words)


def test_macros_of_the_default_command_are_in_the_table() -> None:
    assert set(DEFAULT_COMMAND) <= set(MACROS)


def test_unknown_macros_are_named_in_order() -> None:
    command = ["${nope}", "${args}", "a ${nope}", "${envvar:X}", "${envvar:x}", "${envvar:}", 3, None, "${}", "${a b}"]
    assert unknown_macros(command) == ["${nope}", "${envvar:x}", "${envvar:}", "${}", "${a b}"]


def test_the_name_of_a_variable_is_no_variable() -> None:
    assert argv(["${envvar:NAME}"], environ={"NAME": "x"}) == ["x"]


def test_an_unknown_macro_is_never_dropped_silently() -> None:
    with pytest.raises(UsageError, match=r"`command` holds `\$\{nope\}`, which is no macro"):
        argv(["${nope}"])


def test_a_command_that_expands_to_nothing_is_an_error() -> None:
    with pytest.raises(UsageError, match="nothing to start"):
        argv(["${args}"])


def test_a_json_file_that_was_not_written_is_an_error() -> None:
    with pytest.raises(UsageError, match="wants its parameters as a file"):
        argv(["${args_json_file}"], json_file=None)


def test_the_error_for_a_missing_variable_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="export TOKEN before starting it"):
        argv(["x${envvar:TOKEN}"])


def test_flatten_gives_dotted_names_and_keeps_empty_mappings() -> None:
    assert list(flatten({"a": {"b": 1, "c": {"d": 2}}, "e": {}, "f.g": 3})) == [
        ("a.b", 1), ("a.c.d", 2), ("e", {}), ("f.g", 3),
    ]  # fmt: skip


def test_words_reach_the_program_unchanged() -> None:
    code = "import sys; print(sys.argv[1:])"
    params = {"s": 'a "b" $HOME `x` \\ \n é', "l": [1, "a"]}
    done = subprocess.run(
        argv([sys.executable, "-c", code, "${args}"], params), capture_output=True, text=True, timeout=30
    )
    assert done.stdout.strip() == repr([f"--s={params['s']}", "--l=[1, 'a']"])


def test_only_the_standard_library_is_needed() -> None:
    code = "import besom.command, sys; print({'numpy', 'yaml', 'msgspec', 'click'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "set()"
