"""JSON both ways for everything on the wire: the one place that turns NaN and ∞ into words.

orjson and msgspec write ``null`` for non-finite numbers without a word, so values pass through `to_words` first.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, TypeVar

import msgspec

from besom.common.json_numbers import to_words
from besom.errors import UsageError

T = TypeVar("T")


def encode(value: Any) -> bytes:
    """Strict JSON bytes of a struct or a JSON-like value."""
    return msgspec.json.encode(to_words(msgspec.to_builtins(value)))


def decode(body: bytes, kind: type[T]) -> T:
    """The struct in a request's body; raises UsageError with the place of the first mistake."""
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"the request's body is not what this address takes: {error}") from None


def iso(at: float | None) -> str | None:
    """Seconds since 1970 as ISO 8601 in UTC with milliseconds and Z; None stays None."""
    if at is None:
        return None
    moment = datetime.fromtimestamp(at, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
