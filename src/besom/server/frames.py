"""Messages between the server and a child of its own: JSON, each after its length in four bytes."""

from __future__ import annotations

import json
from typing import Any, Protocol

import msgspec

from besom.common.json_numbers import dumps

LENGTH_BYTES = 4


def pack(message: Any) -> bytes:
    """A struct or JSON-like value as a message; whole numbers of any size and infinities survive, as in the store."""
    body = dumps(msgspec.to_builtins(message)).encode()
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def unpack(body: bytes) -> Any:
    """What a message says."""
    return json.loads(body)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read(stream: _Readable) -> Any:
    """The next message of a buffered stream; None at its end, also in the middle of one."""
    head = stream.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    size = int.from_bytes(head, "big")
    body = stream.read(size)
    return unpack(body) if len(body) == size else None
