"""The append-only file of one writing process: what `log` returned from is in it, whatever happens next.

One ``os.write`` a record, under a lock. No queue and no thread: ``kill -9`` after a call cannot lose its record.
A full disk never stops a training: the loss is told once and counted.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from besom.client.say import warn
from besom.common.spool_format import HEADER, MAX_KINDS, SpoolError, json_record, row_struct

Pack = Callable[..., bytes]


class Kind:
    """Rows of numbers with the same names: their number in the stream and their packer."""

    __slots__ = ("keys", "number", "pack", "unpack")

    def __init__(self, number: int, keys: tuple[str, ...]) -> None:
        packer = row_struct(len(keys))
        self.number = number
        self.keys = keys
        self.pack: Pack = packer.pack
        self.unpack = packer.unpack

    def values(self, packed: bytes) -> dict[str, float]:
        """The names and numbers of a packed row."""
        return dict(zip(self.keys, self.unpack(packed)[3:], strict=True))


class Spool:
    """Appends records to the file that ``place()`` names, opened at the first record; ``place=None`` keeps nothing.

    ``lock`` may be held around several calls; they take it themselves too.
    """

    def __init__(self, place: Callable[[], Path] | None) -> None:
        # Re-entrant: a signal handler may log while the main thread is in the middle of a call.
        self.lock = threading.RLock()
        self.dropped = 0
        self.kinds: dict[tuple[str, ...], Kind] = {}
        self._place = place
        self._unwritten = HEADER
        self._descriptor = -1

    def numbers(self, step: int, at: float, data: Mapping[str, Any]) -> tuple[Kind, bytes] | None:
        """Appends a row of plain numbers; None (and nothing is written) when a value is anything else.

        ``at`` is in seconds since 1970. Everything with ``__float__`` is a number, except a bool.
        """
        for value in data.values():
            if value.__class__ is bool:
                return None
        keys = tuple(data)
        with self.lock:
            kind = self.kinds.get(keys)
            new = kind is None
            if kind is None:
                kind = Kind(len(self.kinds) + 1, keys)
            try:
                packed = kind.pack(kind.number, step, at, *data.values())
            except (struct.error, TypeError, ValueError, OverflowError):
                return None
            if new and not self._announce(kind):
                return None
            self._write(packed)
            return kind, packed

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
                os.close(self._descriptor)
            self._descriptor, self._place = -1, None

    def forget(self) -> None:
        """Closes the file in a forked child, where the lock may be held by a thread that is not there."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._place = -1, None

    def _announce(self, kind: Kind) -> bool:
        if kind.number > MAX_KINDS or not all(type(key) is str for key in kind.keys):
            return False
        try:
            announcement = json_record({"t": "kind", "kind": kind.number, "keys": list(kind.keys)})
        except SpoolError:
            return False
        if not self._write(announcement, counts=False):
            return False
        self.kinds[kind.keys] = kind
        return True

    def _write(self, record: bytes, *, counts: bool = True) -> bool:
        """Appends the whole record or counts it as dropped. Bytes that are in the file are never taken back."""
        if self._place is None:
            return True
        try:
            if self._descriptor < 0:
                self._open(self._place())
            if self._unwritten:
                self._unwritten = self._unwritten[os.write(self._descriptor, self._unwritten) :]
                if self._unwritten:
                    raise OSError("the disk takes only a part")
            written = os.write(self._descriptor, record)
        except OSError as error:
            if record and counts:
                self._drop(f"what the run logs cannot be written ({error.strerror or error}): rows are being lost")
            return False
        if written < len(record):
            # Whoever ships may have taken the first part already: the rest must follow before anything else.
            self._unwritten = record[written:]
        return True

    def _open(self, file: Path) -> None:
        self._descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def _drop(self, sentence: str) -> None:
        self.dropped += 1
        if self.dropped == 1:
            warn(sentence)
