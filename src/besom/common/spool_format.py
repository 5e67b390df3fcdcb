"""The bytes of a spool file, which are also the bytes on the wire.

::

    header  := b"BESOMSPL" <u1 version = 1>                                  once, at offset 0
    record  := <u2 kind ≥ 1> <i8 step> <f8 time> <f8 value> × len(keys)      a row of numbers, the usual case
             | <u2 0> <u4 length> <JSON, UTF-8>                              everything else

All numbers are little-endian; times are seconds since 1970 (UTC). A ``kind`` is announced before its first use by
a JSON record, so that the names of keys travel in the stream. JSON records are objects with the key ``"t"``:

========== ================================================== ==================================================
t          other keys                                         meaning
========== ================================================== ==================================================
kind       kind: int, keys: [str]                             the names of the values of rows of this kind
row        step: int, time: float, data: {key: value}         a row with something that is not a plain number
config     set: {key: value}                                  config values after a change (whole values)
summary    set: {key: value}, delete: [key]                   the script wrote its summary by hand
define     name, step_metric, summary: [str], hidden          `define_metric`
resumed    step: int                                          the attempt goes on from a checkpoint at this step
reads      read: [str]                                        swept keys that the script read, parsed or received
preempting (none)                                             the script said that it is being preempted
about      any of display_name, group, job_type, notes, tags  what the script says of its run, by `init` or later
note       text: str                                          one line for the person who reads the run
exit       code: int, error: str | null                       the script's own end; the last record of a stream
========== ================================================== ==================================================

In JSON records non-finite numbers are words (`json_numbers`). A reader stops at an unfinished record and goes on
when the rest has arrived. A stream of kind "console" has no records: it is the raw output.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from besom.common.json_numbers import dumps

MAGIC = b"BESOMSPL"
VERSION = 1
HEADER = MAGIC + bytes([VERSION])
MAX_KINDS = 65_535
MAX_JSON_BYTES = 16 * 1024 * 1024
# How deep lists and objects may lie in each other: whatever reads and writes them again goes down by recursion.
MAX_LEVELS = 100
# One POST carries at most this many bytes of a stream.
MAX_POST_BYTES = 256 * 1024

_KIND = struct.Struct("<H")
_JSON_HEAD = struct.Struct("<HI")


class SpoolError(ValueError):
    """The bytes are not a spool that this version understands."""


class Row(NamedTuple):
    """A record with values: ``data`` maps keys to floats (fast rows) or to JSON values."""

    step: int
    time: float
    data: dict[str, Any]


class Note(NamedTuple):
    """A JSON record that is not a row: its ``t`` and the whole object."""

    t: str
    body: dict[str, Any]


def row_struct(n: int) -> struct.Struct:
    """The packer of a row with ``n`` values: kind, step, time, values."""
    return struct.Struct(f"<Hqd{n}d")


def json_record(body: dict[str, Any]) -> bytes:
    """A JSON record; raises SpoolError if it is too large or too deep."""
    text = dumps(body).encode("utf-8", "surrogatepass")
    _check_levels(text, body)
    if len(text) > MAX_JSON_BYTES:
        raise SpoolError(f"a record of {len(text)} bytes is larger than {MAX_JSON_BYTES}")
    return _JSON_HEAD.pack(0, len(text)) + text


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

    def feed(self, piece: bytes) -> Iterator[Row | Note]:
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
        if len(data) - at < _KIND.size:
            return None
        (kind,) = _KIND.unpack_from(data, at)
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
    if len(data) - at < _JSON_HEAD.size:
        return None
    _, length = _JSON_HEAD.unpack_from(data, at)
    if length > MAX_JSON_BYTES:
        raise SpoolError(f"a record claims {length} bytes")
    end = at + _JSON_HEAD.size + length
    if len(data) < end:
        return None
    try:
        body = json.loads(data[at + _JSON_HEAD.size : end].decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise SpoolError(f"a record is not JSON: {error}") from None
    if not isinstance(body, dict) or not isinstance(body.get("t"), str):
        raise SpoolError("a JSON record lacks its type")
    _check_levels(data[at + _JSON_HEAD.size : end], body)
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


def _check_levels(text: bytes, body: dict[str, Any]) -> None:
    if text.count(b"{") + text.count(b"[") <= MAX_LEVELS:
        return
    level: list[Any] = [body]
    for _ in range(MAX_LEVELS):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, (dict, list, tuple))
        ]
        if not level:
            return
    raise SpoolError(f"a value is nested deeper than {MAX_LEVELS} levels")
