"""Reads the records of a spool (`spool_format`) for whoever stores or shows them; what writes them loads none of it."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any, NamedTuple

from besom.common.spool_format import (
    HEADER,
    JSON_HEAD,
    KIND,
    MAGIC,
    MAX_JSON_BYTES,
    MAX_KINDS,
    VERSION,
    SpoolError,
    check_levels,
    row_struct,
)


class Row(NamedTuple):
    """A record with values: ``data`` maps keys to floats (fast rows) or to JSON values."""

    step: int
    time: float
    data: dict[str, Any]


class Note(NamedTuple):
    """A JSON record that is not a row: its ``t`` and the whole object."""

    t: str
    body: dict[str, Any]


class Reader:
    """Reads records from the pieces of a stream, remembering its kinds and an unfinished end.

    ``kinds`` maps kind numbers to their keys and ``rest`` holds the bytes of an unfinished record: with both, a
    reader can be rebuilt at any time (``Reader(kinds, rest, started=True)``).
    """

    def __init__(
        self, kinds: dict[int, tuple[str, ...]] | None = None, rest: bytes = b"", *, started: bool = False
    ) -> None:
        self.kinds = dict(kinds or {})
        self.rest = rest
        self.started = started

    def feed(self, piece: bytes) -> Generator[Row | Note, None, None]:
        """Yields the records that are whole after ``piece``; raises SpoolError on bytes that cannot be a spool."""
        data = self.rest + piece
        at = 0
        try:
            if not self.started:
                if len(data) < len(HEADER):
                    return
                if not data.startswith(MAGIC):
                    raise SpoolError("the stream does not start as a spool file does")
                if data[len(MAGIC)] != VERSION:
                    raise SpoolError(f"the spool has version {data[len(MAGIC)]}, this program reads {VERSION}")
                self.started = True
                at = len(HEADER)
            while True:
                found = self._record(data, at)
                if found is None:
                    return
                record, end = found
                if isinstance(record, Note) and record.t == "kind":
                    self._learn(record.body)
                    at = end
                    continue
                at = end
                yield record
        finally:
            self.rest = data[at:]

    def _record(self, data: bytes, at: int) -> tuple[Any, int] | None:
        if len(data) - at < KIND.size:
            return None
        (kind,) = KIND.unpack_from(data, at)
        if kind == 0:
            return _json_at(data, at)
        keys = self.kinds.get(kind)
        if keys is None:
            raise SpoolError(f"a row of kind {kind} comes before its names")
        packer = row_struct(len(keys))
        if len(data) - at < packer.size:
            return None
        _, step, time, *values = packer.unpack_from(data, at)
        return Row(step, time, dict(zip(keys, values, strict=True))), at + packer.size

    def _learn(self, body: dict[str, Any]) -> None:
        kind, keys = body.get("kind"), body.get("keys")
        if type(kind) is not int or not isinstance(keys, list) or not 1 <= kind <= MAX_KINDS:
            raise SpoolError("a kind record lacks its number or its names")
        names = tuple(str(key) for key in keys)
        if self.kinds.setdefault(kind, names) != names:
            raise SpoolError(f"kind {kind} was given other names in the middle of the stream")


def _json_at(data: bytes, at: int) -> tuple[Row | Note, int] | None:
    if len(data) - at < JSON_HEAD.size:
        return None
    _, length = JSON_HEAD.unpack_from(data, at)
    if length > MAX_JSON_BYTES:
        raise SpoolError(f"a record claims {length} bytes")
    end = at + JSON_HEAD.size + length
    if len(data) < end:
        return None
    try:
        body = json.loads(data[at + JSON_HEAD.size : end].decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise SpoolError(f"a record is not JSON: {error}") from None
    if not isinstance(body, dict) or not isinstance(body.get("t"), str):
        raise SpoolError("a JSON record lacks its type")
    check_levels(data[at + JSON_HEAD.size : end], body)
    if body["t"] == "row":
        return _json_row(body), end
    return Note(body["t"], body), end


def _json_row(body: dict[str, Any]) -> Row:
    step, time, data = body.get("step"), body.get("time"), body.get("data")
    if type(step) is not int or not isinstance(time, (int, float)) or not isinstance(data, dict):
        raise SpoolError("a row record lacks its step, time or data")
    if not -(2**63) <= step < 2**63:
        raise SpoolError(f"step {step} does not fit 64 bits")
    try:
        return Row(step, float(time), data)
    except OverflowError:
        raise SpoolError("the time of a row is no time") from None
