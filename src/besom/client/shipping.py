"""Carries the files of a run folder to the server, byte for byte, each byte once.

The server says which byte of a stream it wants next; whoever ships goes on from there. So the same files may be
shipped by the process that writes them, by its agent, or days later by `besom sync`, and by several of them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from besom.client.connection import Connection, WrongOffset, part
from besom.client.run_folder import RunFolder, owner_is_alive
from besom.common.spool_format import MAX_POST_BYTES

# What goes along with the report of a run's end, at most; more is shipped before it.
MOST_REST_BYTES = 64 * 1024
_UNKNOWN_END = {"error": "the process ended without saying how"}
# A server that keeps asking for other bytes than it said is not asked for ever.
_MOST_CORRECTIONS = 8


class Shipper:
    """Ships one stream. ``offset`` is the server's next byte, None until it was asked.

    ``order_waits``: the server has an order for whoever watches the attempt, to be fetched by a heartbeat.
    """

    def __init__(self, connection: Connection, run_uid: str, attempt: int, writer: str, kind: str, file: Path) -> None:
        self.connection = connection
        self.run_uid = run_uid
        self.attempt = attempt
        self.writer = writer
        self.kind = kind
        self.file = file
        self.offset: int | None = None
        self.order_waits = False
        self._path = f"/api/v1/runs/{part(run_uid)}/attempts/{attempt}/streams/{part(writer)}/{part(kind)}"

    def ship(self, *, most_posts: int | None = None) -> bool:
        """Sends what the server lacks; True when all bytes of the file are there, False after ``most_posts``.

        Raises ServerUnreachable and what the server refuses; the next call goes on from where it was.
        """
        posts = corrections = 0
        try:
            size = os.stat(self.file).st_size
        except FileNotFoundError:
            return True
        if self.offset is None:
            self.offset = int(self.connection.call("GET", self._path)["offset"])
        while self.offset < size:
            if most_posts is not None and posts >= most_posts:
                return False
            try:
                self._post(self.offset)
            except WrongOffset as wrong:
                corrections += 1
                if corrections > _MOST_CORRECTIONS:
                    raise
                self.offset = wrong.offset
            posts += 1
            size = os.stat(self.file).st_size
        return True

    def _post(self, offset: int) -> None:
        piece = self.read(offset, MAX_POST_BYTES)
        answer = self.connection.call("POST", self._path, data=piece, query={"offset": offset})
        self.offset = int(answer["offset"])
        self.order_waits = bool(answer.get("order_waits"))

    def read(self, offset: int, most: int) -> bytes:
        """The file's bytes from an offset on, at most so many."""
        descriptor = os.open(self.file, os.O_RDONLY)
        try:
            return os.pread(descriptor, most, offset)
        finally:
            os.close(descriptor)


class FolderShipper:
    """Ships every stream of one attempt's files in a run folder, those that appear later too.

    ``fresh``: nobody shipped them before, so that the server need not be asked what it has.
    """

    def __init__(self, connection: Connection, folder: RunFolder, attempt: int, *, fresh: bool = False) -> None:
        self.connection = connection
        self.folder = folder
        self.attempt = attempt
        self._fresh = fresh
        self._shippers: dict[tuple[str, str], Shipper] = {}

    def ship(self, *, most_posts: int | None = None) -> bool:
        """Sends what the server lacks of each stream; True when everything is there."""
        self._look()
        complete = [shipper.ship(most_posts=most_posts) for shipper in self._shippers.values()]
        return all(complete)

    @property
    def order_waits(self) -> bool:
        """True if the server's last answers told of an order for whoever watches the attempt."""
        return any(shipper.order_waits for shipper in self._shippers.values())

    def offsets(self) -> dict[str, int]:
        """The shipped end of each stream, as ``FinishRun.offsets`` wants it: ``{"<writer>/<kind>": bytes}``."""
        return {
            f"{writer}/{kind}": shipper.offset
            for (writer, kind), shipper in self._shippers.items()
            if shipper.offset is not None
        }

    def rest(self, most: int) -> tuple[dict[str, int], dict[str, dict[str, Any]]] | None:
        """``offsets`` and ``rest`` of a ``FinishRun`` that brings what was not shipped; None if that is too much.

        Of a stream that the server was never asked about it takes for granted that the server has nothing.
        """
        from base64 import b64encode

        self._look()
        ends: dict[str, int] = {}
        rest: dict[str, dict[str, Any]] = {}
        left = most
        for (writer, kind), shipper in self._shippers.items():
            start = shipper.offset or 0
            data = shipper.read(start, left + 1)
            left -= len(data)
            if left < 0:
                return None
            ends[f"{writer}/{kind}"] = start + len(data)
            if data:
                rest[f"{writer}/{kind}"] = {"offset": start, "data": b64encode(data).decode()}
        return ends, rest

    def _look(self) -> None:
        for stream in self.folder.streams(self.attempt):
            key = (stream.writer, stream.kind)
            if key not in self._shippers:
                shipper = self._shippers[key] = Shipper(
                    self.connection, self.folder.uid, stream.attempt, stream.writer, stream.kind, stream.file
                )
                shipper.offset = 0 if self._fresh else None


def sync_folder(connection: Connection, folder: RunFolder) -> str:
    """Brings one run folder to the server, as `besom sync` does; returns what became of it.

    ``"nothing to send"``, ``"sent"`` or ``"still running"`` (its rows were sent; its process or agent sends the end).
    Raises ServerUnreachable and what the server refuses.
    """
    facts = folder.config()
    watchers = folder.agents()
    untold = {attempt for attempt, watcher in watchers.items() if not watcher.get("told")}
    attempts = {stream.attempt for stream in folder.streams()} | untold
    if "new_run" in facts:
        # A run without an agent has one attempt, which may have died before its first record.
        attempts.add(1)
    missing = [attempt for attempt in sorted(attempts) if not folder.is_done(attempt)]
    process = folder.owner("process")
    alive = any(owner_is_alive(owner) for owner in (process, *watchers.values()))
    if not missing:
        if process is not None and not watchers and not alive:
            # It died when all was sent, before it had cleared up.
            folder.discard()
        return "nothing to send"
    if "new_run" in facts:
        connection.call("POST", "/api/v1/runs", facts["new_run"])
    for attempt in missing:
        shipper = FolderShipper(connection, folder, attempt)
        shipper.ship()
        if alive:
            continue
        if "new_run" in facts or attempt in untold:
            end = folder.end(attempt) or watchers.get(attempt, {}).get("end") or _UNKNOWN_END
            finish = {**end, "offsets": shipper.offsets()}
            connection.call("POST", f"/api/v1/runs/{part(folder.uid)}/attempts/{attempt}/finish", finish)
        folder.mark_done(attempt)
    if alive:
        return "still running"
    folder.discard()
    return "sent"
