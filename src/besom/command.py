"""The sweep's `command`: a list of words with macros, turned into the argv of one run.

In: the words as written, the run's params, an environment. Out: the argv that starts the run; no shell is involved.
A word is a macro only when it is exactly one; ``${envvar:NAME}`` also works inside a longer word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from besom.errors import UsageError

DEFAULT_COMMAND = ("${env}", "${interpreter}", "${program}", "${args}")

JSON_FILE_MACRO = "${args_json_file}"
ENVVAR_MACRO = "${envvar:NAME}"

MACROS: dict[str, str] = {
    "${env}": "`/usr/bin/env`; nothing on Windows",
    "${interpreter}": "`python`",
    "${program}": "the sweep's `program`",
    "${args}": "`--name=value` for each parameter",
    "${args_no_boolean_flags}": "as `${args}`, but true is `--name` and false is left out",
    "${args_no_hyphens}": "`name=value` for each parameter",
    "${args_no_equals}": "`--name` and `value` as two words for each parameter",
    "${args_append_hydra}": "`+name=value` for each parameter",
    "${args_override_hydra}": "`++name=value` for each parameter",
    "${args_dotted}": "as `${args}`, with nested parameters flattened: `--optimizer.lr=0.001`",
    "${args_json}": "one word: a JSON object of all parameters",
    JSON_FILE_MACRO: "the path of a file that holds that JSON object",
    ENVVAR_MACRO: "the environment variable NAME (capitals, digits, `_`), also inside a longer word",
}

_MACRO = re.compile(r"\$\{[^{}]*\}")
_ENVVAR = re.compile(r"\$\{envvar:([A-Z0-9_]+)\}")


def expand(
    command: Sequence[Any] | None,
    *,
    program: str | None,
    params: Mapping[str, Any],
    environ: Mapping[str, str],
    json_file: str | None,
    windows: bool = False,
) -> list[str]:
    """The argv of a run; None for ``command`` is W&B's default.

    ``json_file`` is where the caller has written the params. Raises UsageError for a variable that is not set, a
    program or file that is asked for and absent, an unknown macro, an empty result.
    """
    macros = _expansions(program, params, json_file, windows)
    argv: list[str] = []
    for item in DEFAULT_COMMAND if command is None else command:
        word = str(item)
        if word in macros:
            argv.extend(macros[word]())
        elif _is_unknown(word):
            raise UsageError(f"`command` holds `{word}`, which is no macro")
        else:
            argv.append(_ENVVAR.sub(lambda found: _variable(found[1], environ), word))
    if not argv:
        raise UsageError("the sweep's `command` is empty once its macros are filled in: there is nothing to start")
    return argv


class Unexpanded(Mapping[str, str]):
    """An environment in which every variable is its own macro: for a command that is shown or stored, since what
    stands in variables may be secret.
    """

    def __getitem__(self, name: str) -> str:
        return f"${{envvar:{name}}}"

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def unknown_macros(command: Sequence[Any]) -> list[str]:
    """The words of the command that look like macros and are none, in order."""
    return [str(item) for item in command if _is_unknown(str(item))]


def _is_unknown(word: str) -> bool:
    if not _MACRO.fullmatch(word) or _ENVVAR.fullmatch(word):
        return False
    return word not in MACROS or word == ENVVAR_MACRO


def _expansions(
    program: str | None, params: Mapping[str, Any], json_file: str | None, windows: bool
) -> dict[str, Callable[[], list[str]]]:
    """Macro → what makes its words; built late, so that what is not used need not exist."""
    return {
        "${env}": lambda: [] if windows else ["/usr/bin/env"],
        "${interpreter}": lambda: ["python"],
        "${program}": lambda: [_needed(program, "names no `program`: add one, or give it with --program")],
        "${args}": lambda: [f"--{name}={value}" for name, value in params.items()],
        "${args_no_boolean_flags}": lambda: list(_flags(params)),
        "${args_no_hyphens}": lambda: [f"{name}={value}" for name, value in params.items()],
        "${args_no_equals}": lambda: [word for name, value in params.items() for word in (f"--{name}", str(value))],
        "${args_append_hydra}": lambda: [f"+{name}={value}" for name, value in params.items()],
        "${args_override_hydra}": lambda: [f"++{name}={value}" for name, value in params.items()],
        "${args_dotted}": lambda: [f"--{name}={value}" for name, value in flatten(params)],
        "${args_json}": lambda: [json.dumps(params)],
        JSON_FILE_MACRO: lambda: [_needed(json_file, "wants its parameters as a file, and none was written")],
    }


def _flags(params: Mapping[str, Any]) -> Iterator[str]:
    for name, value in params.items():
        if value is True:
            yield f"--{name}"
        elif value is not False:
            yield f"--{name}={value}"


def flatten(params: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names with their values; an empty mapping stays a value."""
    for name, value in params.items():
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _variable(name: str, environ: Mapping[str, str]) -> str:
    if name not in environ:
        raise UsageError(
            f"`command` uses ${{envvar:{name}}}, and the variable {name} is not set where the agent runs: "
            f"export {name} before starting it"
        )
    return environ[name]


def _needed(value: str | None, otherwise: str) -> str:
    if value is None:
        raise UsageError(f"the sweep {otherwise}")
    return value
