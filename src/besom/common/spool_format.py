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
exit       code: int, error: str | null, lost: int            the script's own end; lost: records that its disk refused
========== ================================================== ==================================================

``exit`` is the last record of a stream; it has no ``lost`` when nothing was. In JSON records non-finite numbers are
words (`json_numbers`). A reader stops at an unfinished record and goes on when the rest has arrived. A stream of kind
"console" has no records: it is the raw output.
"""

from __future__ import annotations

import struct

from besom.common.json_numbers import dumps
from besom.common.json_text import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAGIC = b"BESOMSPL"
VERSION = 1
HEADER = MAGIC + bytes([VERSION])
MAX_KINDS = 65_535
MAX_JSON_BYTES = 16 * 1024 * 1024
# How deep lists and objects may lie in each other: whatever reads and writes them again goes down by recursion.
MAX_LEVELS = 100
# One POST carries at most this many bytes of a stream.
MAX_POST_BYTES = 256 * 1024

KIND = struct.Struct("<H")
JSON_HEAD = struct.Struct("<HI")


class SpoolError(ValueError):
    """The bytes are not a spool that this version understands."""


def row_struct(n: int) -> struct.Struct:
    """The packer of a row with ``n`` values: kind, step, time, values."""
    return struct.Struct(f"<Hqd{n}d")


def json_record(body: dict[str, Any]) -> bytes:
    """A JSON record; raises SpoolError if it is too large or too deep."""
    text = dumps(body).encode("utf-8", "surrogatepass")
    check_levels(text, body)
    return _framed(text)


def flat_row_record(step: int, time: float, data: dict[str, Any]) -> bytes:
    """The record of a row of JSON scalars; raises ValueError for a non-finite one, SpoolError if it is too large."""
    text = f'{{"t":"row","step":{step},"time":{time!r},"data":{encode(data)}}}'
    return _framed(text.encode("utf-8", "surrogatepass"))


def _framed(text: bytes) -> bytes:
    if len(text) > MAX_JSON_BYTES:
        raise SpoolError(f"a record of {len(text)} bytes is larger than {MAX_JSON_BYTES}")
    return JSON_HEAD.pack(0, len(text)) + text


def check_levels(text: bytes, body: dict[str, Any]) -> None:
    """Raises SpoolError if the record ``body``, whose JSON is ``text``, is nested deeper than MAX_LEVELS."""
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
