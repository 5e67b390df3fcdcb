"""JSON as Besom writes it: non-finite numbers are the strings "NaN", "Infinity", "-Infinity".

Standard JSON has no word for them, and Python's own bare ``NaN`` breaks strict readers.
"""

from __future__ import annotations

import math

from besom.common.json_text import NON_FINITE as NON_FINITE
from besom.common.json_text import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What most values are, and what never changes.
_PLAIN = frozenset([str, int, bool, type(None)])


def number_word(value: float) -> float | str:
    """The value itself, or the word for it when it is not finite."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def to_words(value: Any) -> Any:
    """The same JSON-like value with every non-finite float replaced by its word."""
    if isinstance(value, float):
        return number_word(value)
    if isinstance(value, dict):
        return {str(key): item if type(item) in _PLAIN else to_words(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [item if type(item) in _PLAIN else to_words(item) for item in value]
    return value


def as_number(value: Any) -> float | None:
    """The number that a JSON value stands for, words included; None for anything else (bool too)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, str):
        return NON_FINITE.get(value)
    return None


def dumps(value: Any) -> str:
    """Strict JSON text of a JSON-like value."""
    return encode(to_words(value))
