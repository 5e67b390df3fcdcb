"""What an unquoted word of a YAML file is: YAML 1.1 as PyYAML reads it, with three slips mended.

``1e-3`` is a number, ``1:30`` is text (not 90), and a date is text. ``on``, ``off``, ``yes``, ``no`` are booleans.
"""

from __future__ import annotations

import math
import re
from typing import Any

_WORDS: dict[str, Any] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_WORDS |= {form: True for word in ("yes", "true", "on") for form in (word, word.capitalize(), word.upper())}
_WORDS |= {form: False for word in ("no", "false", "off") for form in (word, word.capitalize(), word.upper())}
_WORDS |= dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan)
_WORDS |= {sign + form: math.inf for sign in ("", "+") for form in (".inf", ".Inf", ".INF")}
_WORDS |= {"-" + form: -math.inf for form in (".inf", ".Inf", ".INF")}

_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0b(?P<two>[01_]+)|0x(?P<sixteen>[0-9a-fA-F_]+)|0(?P<eight>[0-7_]+)|(?P<ten>0|[1-9][0-9_]*))"
)
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*|[0-9][0-9_]*(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_YAML_1_1_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*)?\.[0-9_]*(?:[eE][-+][0-9]+)?")
_BASES = {"two": 2, "sixteen": 16, "eight": 8, "ten": 10}
_STARTS = frozenset("-+.0123456789")


def resolve(text: str) -> Any:
    """The value of a plain scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _STARTS:
        return text
    number = as_number(text)
    return text if number is None else number


def as_number(text: str) -> int | float | None:
    """The number that a text spells, None if it spells none. A number too long to be kept is an infinity."""
    if text.isdecimal() and text.isascii() and text[0] != "0" and len(text) < 20:
        return int(text)
    whole = _INTEGER.fullmatch(text)
    if whole:
        return _integer(whole)
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    return None


def is_new_number(text: str) -> bool:
    """True for what is a number here and was text to YAML 1.1 (``1e-3``)."""
    return not _INTEGER.fullmatch(text) and not _YAML_1_1_FLOAT.fullmatch(text)


def _integer(found: re.Match[str]) -> int | float:
    base, digits = next((base, found[base]) for base in _BASES if found[base] is not None)
    digits = digits.replace("_", "")
    if len(digits) > 400:
        return -math.inf if found["sign"] == "-" else math.inf
    value = int(digits or "0", _BASES[base])
    return -value if found["sign"] == "-" else value
