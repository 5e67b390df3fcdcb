"""What a key means, in the words of the tables: `besom check --explain KEY`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from besom.command import MACROS
from besom.errors import UsageError
from besom.space import KINDS, Kind
from besom.sweep_config.keys import METHODS, PLACES, SECTIONS, STOPPING_RULES, Key
from besom.sweep_config.problems import did_you_mean
from besom.sweep_config.value_types import Choice, Section, Word

_WIDTH = 80


def explain(key: str) -> str:
    """The help of a key (``goal`` or ``metric.goal``), method, rule, distribution or macro.

    Raises UsageError for an unknown one, with the nearest.
    """
    wanted = key.strip().rstrip(":")
    found = [*_keys(wanted), *_words(wanted)]
    if not found:
        known = [*(each.name for keys in SECTIONS.values() for each in keys), *KINDS, *MACROS, *_all_words()]
        hint = did_you_mean(wanted, known) or ": `besom check --explain parameters` and `--explain metric` list some"
        raise UsageError(f"there is no key `{wanted}`{hint}")
    return "\n\n".join(found)


def _keys(wanted: str) -> Iterator[str]:
    first, _, name = wanted.replace("[", ".").rpartition(".")
    # Of a path below a name that somebody chose (`parameters.lr.min`) only the beginning tells.
    exact = [section for section in SECTIONS if PLACES[section] == f"{first}."]
    for section, keys in SECTIONS.items():
        fits = section in exact if exact else not first or PLACES[section].startswith(f"{first.split('.')[0]}.")
        if fits:
            yield from (_about_key(section, key) for key in keys if key.name == name)


def _about_key(section: str, key: Key) -> str:
    facts = [("type", key.type.words)]
    if key.default:
        facts.append(("default", key.default))
    facts.append(("example", key.example))
    if key.required:
        section_name = PLACES[section].rstrip(".")
        facts.append(("required", f"whenever `{section_name}` is given" if section_name else "always"))
    if key.not_built:
        facts.append(("not built", f"refused for now: {key.not_built}"))
    if key.unused:
        facts.append(("not used", key.unused))
    lines = [PLACES[section] + key.name, _wrapped(key.help, "  "), "", *_aligned(facts)]
    below = list(_below(key))
    return "\n".join([*lines, "", *_aligned(below)] if below else lines)


def _below(key: Key) -> Iterator[tuple[str, str]]:
    """What can stand below a key, or as its value."""
    if key.name == "distribution":
        yield from ((kind.name, _law(kind)) for kind in KINDS.values())
    elif key.name == "command":
        yield from MACROS.items()
    elif isinstance(key.type, Choice):
        yield from ((word.name, _about_word(word)) for word in key.type.options if word.help)
    elif isinstance(key.type, Section):
        section = "parameter" if key.type.name == "parameters" else key.type.name
        for each in SECTIONS[section]:
            yield each.name, each.help + (" Not built yet." if each.not_built else "")


def _all_words() -> dict[str, str]:
    methods = {word.name: f"method: {word.name}\n{_wrapped(_about_word(word), '  ')}" for word in METHODS}
    place = "early_terminate.type"
    rules = {word.name: f"{place}: {word.name}\n{_wrapped(_about_word(word), '  ')}" for word in STOPPING_RULES}
    return methods | rules


def _words(wanted: str) -> Iterator[str]:
    if wanted in KINDS:
        yield _about_kind(KINDS[wanted])
    if wanted in _all_words():
        yield _all_words()[wanted]
    macro = wanted if wanted.startswith("${") else f"${{{wanted}}}"
    if macro in MACROS:
        yield f"{macro} in `command`\n{_wrapped(MACROS[macro], '  ')}"


def _about_kind(kind: Kind) -> str:
    options = [
        (option.name, option.help + ("" if option.required else f" (default {option.default})"))
        for option in kind.options
    ]
    return "\n".join([f"distribution: {kind.name}", _wrapped(_law(kind), "  "), "", *_aligned(options)])


def _law(kind: Kind) -> str:
    return kind.summary + (f"; an old name, write `{kind.replaced_by}`" if kind.replaced_by else "")


def _about_word(word: Word) -> str:
    return word.help + (f"; not built yet: {word.not_built}" if word.not_built else "")


def _aligned(rows: Iterable[tuple[str, str]]) -> list[str]:
    rows = list(rows)
    width = max((len(name) for name, _ in rows), default=0) + 2
    return [_wrapped(text, f"  {name:<{width}}", " " * (width + 2)) for name, text in rows]


def _wrapped(text: str, first: str, rest: str | None = None) -> str:
    return textwrap.fill(
        text, _WIDTH, initial_indent=first, subsequent_indent=first if rest is None else rest,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
