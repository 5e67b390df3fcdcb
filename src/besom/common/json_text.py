"""JSON text by the C halves of `json` alone.

Its Python halves load `re` and `enum`: six milliseconds of each training process, for patterns that strict JSON never
needs. A Python that has no such halves, or has others, gets `json` itself.
"""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class _Reading:
    """What the scanner asks for."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = NON_FINITE.__getitem__


def _refuse(value: Any) -> Any:
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _by_c() -> tuple[Callable[[Any], str], Callable[[str], Any]]:
    from _json import encode_basestring, make_encoder, make_scanner

    scan: Any = make_scanner(_Reading)  # type: ignore[arg-type]
    # No memory of what was seen: whatever contains itself ends at the depth that Python allows.
    pieces: Any = make_encoder(None, _refuse, encode_basestring, None, ":", ",", False, False, False)

    def encode(value: Any) -> str:
        return "".join(pieces(value, 0))

    def decode(text: str) -> Any:
        text = text.strip(" \t\r\n")
        try:
            value, end = scan(text, 0)
        except StopIteration:
            end, value = -1, None
        if end != len(text):
            raise ValueError("it is not JSON")
        return value

    return encode, decode


def _by_json() -> tuple[Callable[[Any], str], Callable[[str], Any]]:
    import json

    return json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode, json.loads


try:
    encode, decode = _by_c()
except (ImportError, AttributeError, TypeError):
    encode, decode = _by_json()
