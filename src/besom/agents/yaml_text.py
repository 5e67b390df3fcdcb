"""The YAML text of a run's parameter file, W&B's form (a YAML library is too heavy for what runs beside training)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

# What every YAML reader takes for a name without quotes: not a number, and none of the words below.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"])
# Characters that must be written as escapes: controls, line separators, the byte-order mark, halves of pairs.
_ESCAPED = re.compile(r'[\x00-\x1f"\\\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]')


def parameter_file(params: Mapping[str, Any]) -> str:
    """``wandb_version: 1`` and ``name: {value: …}`` for each top-level parameter, in block style."""
    entries = [f"{_key(name)}:\n  value: {yaml_value(value)}\n" for name, value in params.items()]
    return "\n".join(["wandb_version: 1\n", *entries])


def yaml_value(value: Any) -> str:
    """A JSON-like value on one line, in flow style."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(str(name))}: {yaml_value(item)}" for name, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(yaml_value, value)) + "]"
    return _quoted(str(value))


def _float(value: float) -> str:
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    text = repr(value)
    # YAML 1.1 reads 1e-05 as text: a float has a dot.
    return text if "." in text else text.replace("e", ".0e")


def _key(name: str) -> str:
    return name if _PLAIN.fullmatch(name) and name.lower() not in _WORDS else _quoted(name)


def _quoted(text: str) -> str:
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    return f"\\{character}" if character in '"\\' else f"\\u{ord(character):04x}"
