"""The `command` of a sweep file: macros checked, words kept as they were written."""

from __future__ import annotations

import re
import shlex
from typing import Any

from besom.command import MACROS, unknown_macros
from besom.sweep_config.problems import Findings, nearest_word
from besom.sweep_config.tree import Node, plain, shown

_ALSO_MACROS = {"python": "${interpreter}", "script": "${program}", "file": "${program}", "arguments": "${args}"}
_KNOWN = re.compile("|".join(re.escape(macro) for macro in MACROS if "NAME" not in macro))


def as_list(text: str) -> str:
    """The list that a command written as one line of text should be."""
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


def read_command(node: Node, findings: Findings) -> tuple[Any, ...]:
    """The words in order. Numbers stand as they were written, so that ``1e-3`` is not turned into ``0.001``."""
    for index, item in enumerate(node.value):
        key = f"command[{index}]"
        if item.written is not None:
            item.value, item.written = item.written, None
        if item.value is None:
            findings.note("an empty item becomes the word `None`: delete it, or quote the text you mean", key, item)
        elif isinstance(item.value, (dict, list)):
            findings.note(f"{shown(item)} becomes the word `{plain(item)}`: quote it if it is text", key, item)
        elif isinstance(item.value, str):
            _check_word(item.value, key, item, findings)
    return tuple(plain(item) for item in node.value)


def _check_word(word: str, key: str, item: Node, findings: Findings) -> None:
    if unknown_macros([word]):
        findings.error(_unknown_macro(word), key, item)
    elif word not in MACROS and _KNOWN.search(word):
        macro = _KNOWN.findall(word)[0]
        findings.note(f"`{macro}` inside a longer word is left as it is: make it a word of its own", key, item)


def _unknown_macro(word: str) -> str:
    if word.startswith("${envvar:"):
        return f"`{word}` is no macro: a variable's name is capitals, digits and `_`, such as `${{envvar:HOME}}`"
    nearest = nearest_word(word, MACROS, also=_ALSO_MACROS)
    if nearest:
        return f"`{word}` is no macro: did you mean `{nearest}`?"
    return f"`{word}` is no macro: for an environment variable write `${{envvar:{word[2:-1] or 'NAME'}}}`"
