"""The append-only file of one writing process: what `log` returned from is in it, whatever happens next.

One ``os.write`` a record, under a lock. No queue and no thread: ``kill -9`` after a call cannot lose its record.
A full disk never stops a training: the loss is told once and counted.
"""

from __future__ import annotations

import errno
import itertools
import os
import struct
import time
from _thread import RLock

from besom.client.say import warn
from besom.common.spool_format import HEADER, SpoolError, flat_row_record, json_record, row_struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    Values = Iterable[Any]

# A script whose names never come back would have everybody remember them all: the rows of later ones travel as JSON.
MOST_KINDS = 4_096
_NEVER_NUMBERS = frozenset({bool, str, type(None), list, tuple, dict})
_NUMBERS = frozenset({int, float})
_SCALARS = frozenset({int, float, bool, str, type(None)})
_NAMES = frozenset({str})
_INT64 = 2**63
_NO_NUMBERS = (struct.error, TypeError, ValueError, OverflowError)


class Kind:
    """Rows of numbers with the same names: their number in the stream and their packer."""

    __slots__ = ("keys", "number", "pack", "size", "unpack")

    def __init__(self, number: int, keys: tuple[str, ...]) -> None:
        packer = row_struct(len(keys))
        self.number = number
        self.keys = keys
        self.size = packer.size
        self.pack: Callable[..., bytes] = packer.pack
        self.unpack = packer.unpack

    def values(self, packed: bytes) -> dict[str, float]:
        """The names and numbers of a packed row."""
        return dict(zip(self.keys, self.unpack(packed)[3:], strict=True))


class Spool:
    """Appends records to the file that ``place()`` names, opened at the first record; ``place=None`` keeps nothing.

    ``lock`` may be held around several calls; they take it themselves too, except `put`. ``ready`` holds the kinds
    that `put` may write: announced, in an open file, with nothing of an earlier record left to write.
    """

    def __init__(self, place: Callable[[], str] | None) -> None:
        # Re-entrant: a signal handler may log while the main thread is in the middle of a call.
        self.lock = RLock()
        self.dropped = 0
        self.kinds: dict[tuple[str, ...], Kind] = {}
        self.ready: dict[tuple[str, ...], Kind] = {}
        self._numbers = itertools.count(1)
        self._place = place
        self._unwritten = HEADER
        self._descriptor = -1

    def begin(self) -> None:
        """Opens the file before anybody else knows of it: the start of a stream bears no call in its middle."""
        self._write(b"")

    def put(self, kind: Kind, step: int, values: Values) -> bytes | None:
        """Appends a row of a ready kind; the lock is held. None (and nothing is written) if a value is no number."""
        for value in values:
            if value.__class__ is bool:
                return None
        try:
            packed = kind.pack(kind.number, step, time.time(), *values)
        except _NO_NUMBERS:
            return None
        try:
            written = os.write(self._descriptor, packed)
        except OSError as error:
            self._lost(error)
            return packed
        if written < kind.size:
            self._keep(packed[written:])
        return packed

    def numbers(self, step: int, at: float, data: Mapping[str, Any]) -> tuple[Kind, bytes] | None:
        """Appends a row of plain numbers; None (and nothing is written) when a value is anything else.

        ``at`` is in seconds since 1970. Everything with ``__float__`` is a number, except a bool.
        """
        if not _NEVER_NUMBERS.isdisjoint(map(type, data.values())):
            return None
        keys = tuple(data)
        with self.lock:
            kind = self.kinds.get(keys)
            announcement = b""
            try:
                if kind is None:
                    kind, announcement = self._new_kind(keys, data.values())
                packed = kind.pack(kind.number, step, at, *data.values())
            except _NO_NUMBERS:
                return None
            if self._write(announcement + packed):
                self.kinds[keys] = kind
            return kind, packed

    def _new_kind(self, keys: tuple[str, ...], values: Values) -> tuple[Kind, bytes]:
        """A kind and the record that brings its names; raises what `pack` raises if its rows must travel as JSON."""
        if len(self.kinds) >= MOST_KINDS or not all(type(key) is str for key in keys):
            raise ValueError("no kind for these names")
        kind = Kind(0, keys)
        kind.pack(0, 0, 0.0, *values)
        # A call in the middle of this one, by a signal handler, takes another number.
        kind.number = next(self._numbers)
        return kind, json_record({"t": "kind", "kind": kind.number, "keys": list(keys)})

    def prepare(self, kind: Kind) -> None:
        """Lets `put` write rows of this kind from now on, if nothing stands in the way."""
        with self.lock:
            if self._descriptor >= 0 and not self._unwritten and kind.keys in self.kinds:
                self.ready[kind.keys] = kind

    def flat_row(self, step: int, at: float, data: dict[str, Any]) -> bool:
        """Appends a row of text, bools and None besides numbers; False (and nothing is written) for any other row."""
        kinds = set(map(type, data.values()))
        if kinds <= _NUMBERS or not kinds <= _SCALARS or not _NAMES.issuperset(map(type, data)):
            return False
        if int in kinds:
            for value in data.values():
                if value.__class__ is int and not -_INT64 <= value < _INT64:
                    return False
        try:
            record = flat_row_record(step, at, data)
        except ValueError:
            return False
        with self.lock:
            self._write(record)
        return True

    def row(self, step: int, at: float, data: Mapping[str, Any]) -> None:
        """Appends a row of JSON-like values."""
        self.note("row", step=step, time=at, data=data)

    def note(self, t: str, **body: Any) -> None:
        """Appends a JSON record."""
        try:
            record = json_record({"t": t, **body})
        except (SpoolError, ValueError, TypeError, RecursionError) as error:
            self._drop(f"a record was not kept: {error}")
            return
        with self.lock:
            self._write(record)

    def close(self) -> None:
        """Closes the file. What comes later is not kept."""
        with self.lock:
            if self._descriptor >= 0:
                self._write(b"")
                if self._unwritten not in (b"", HEADER):
                    # A record of which only a part is in the file is none.
                    self._lost(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
            self.forget()

    def forget(self) -> None:
        """Closes the file in a forked child, where the lock may be held by a thread that is not there."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._place = -1, None
        self.ready.clear()

    def _write(self, record: bytes) -> bool:
        """Appends the whole record or counts it as dropped. Bytes that are in the file are never taken back."""
        if self._place is None:
            return True
        try:
            if self._descriptor < 0:
                self._descriptor = _open(self._place())
            if self._unwritten:
                self._unwritten = self._unwritten[os.write(self._descriptor, self._unwritten) :]
                if self._unwritten:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            written = os.write(self._descriptor, record)
        except OSError as error:
            if record:
                self._lost(error)
            return False
        if written < len(record):
            self._keep(record[written:])
        return True

    def _keep(self, rest: bytes) -> None:
        """Whoever ships may have taken the first part already: the rest must follow before anything else."""
        self._unwritten = rest
        self.ready.clear()

    def _lost(self, error: OSError) -> None:
        self._drop(f"what the run logs cannot be written ({error.strerror or error}): rows are being lost")

    def _drop(self, sentence: str) -> None:
        self.dropped += 1
        if self.dropped == 1:
            warn(sentence)


def _open(file: str) -> int:
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
