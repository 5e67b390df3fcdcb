"""When two values are the same value: the identity by which a point of a sweep is tried once."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any


def identity(value: Any) -> str:
    """A text that is equal for equal JSON-like values and differs for all others.

    Whole floats equal ints (``1.0`` is ``1``); ``True``, ``1`` and ``"1"`` differ; the order of dict keys does not
    matter; tuples are lists. Raises TypeError for what JSON has no word for.
    """
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        # Unquoted NaN and inf differ from every string.
        return str(int(value)) if math.isfinite(value) and value == int(value) else repr(float(value))
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(identity(item) for item in value) + "]"
    if isinstance(value, Mapping):
        pairs = sorted((identity(str(key)), identity(item)) for key, item in value.items())
        return "{" + ",".join(f"{key}:{item}" for key, item in pairs) + "}"
    raise TypeError(f"{value!r} is a {type(value).__name__}: params hold numbers, text, booleans, null, lists, dicts")


def params_hash(params: Mapping[str, Any]) -> str:
    """32 hexadecimal digits that are equal for params that are the same point, by `identity`."""
    return hashlib.blake2b(identity(params).encode(), digest_size=16).hexdigest()
