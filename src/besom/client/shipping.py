"""Carries the files of a run folder to the server, byte for byte, each byte once.

The server says which byte of a stream it wants next; whoever ships goes on from there. So the same files may be
shipped by the process that writes them, by its agent, or days later by `besom sync`, and by several of them.
"""

from __future__ import annotations

import os
from pathlib import Path

from besom.client.connection import Connection, WrongOffset, part
from besom.client.run_folder import RunFolder, owner_is_alive
from besom.common.spool_format import MAX_POST_BYTES

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
        descriptor = os.open(self.file, os.O_RDONLY)
        try:
            piece = os.pread(descriptor, MAX_POST_BYTES, offset)
        finally:
            os.close(descriptor)
        answer = self.connection.call("POST", self._path, data=piece, query={"offset": offset})
        self.offset = int(answer["offset"])
        self.order_waits = bool(answer.get("order_waits"))

    def fsync(self) -> None:
        """Makes what was written survive a power cut."""
        descriptor = os.open(self.file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class FolderShipper:
    """Ships every stream of one attempt's files in a run folder, those that appear later too."""

    def __init__(self, connection: Connection, folder: RunFolder, attempt: int) -> None:
        self.connection = connection
        self.folder = folder
        self.attempt = attempt
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

    def fsync(self) -> None:
        """Makes what was written survive a power cut."""
        for shipper in self._shippers.values():
            shipper.fsync()

    def _look(self) -> None:
        for stream in self.folder.streams(self.attempt):
            key = (stream.writer, stream.kind)
            if key not in self._shippers:
                self._shippers[key] = Shipper(
                    self.connection, self.folder.uid, stream.attempt, stream.writer, stream.kind, stream.file
                )


def sync_folder(connection: Connection, folder: RunFolder) -> str:
    """Brings one run folder to the server, as `besom sync` does; returns what became of it.

    ``"nothing to send"``, ``"sent"`` or ``"still running"`` (its rows were sent; its process sends the end). A run
    that an agent started is ended by its agent or by its lease: only its rows are sent. Raises ServerUnreachable
    and what the server refuses.
    """
    facts = folder.config()
    attempts = sorted({stream.attempt for stream in folder.streams()})
    missing = [attempt for attempt in attempts if not folder.is_done(attempt)]
    if not missing:
        return "nothing to send"
    if "new_run" in facts:
        connection.call("POST", "/api/v1/runs", facts["new_run"])
    alive = owner_is_alive(folder.owner("process")) or owner_is_alive(folder.owner("agent"))
    for attempt in missing:
        shipper = FolderShipper(connection, folder, attempt)
        shipper.ship()
        if alive:
            continue
        if "new_run" in facts:
            lost = {"error": "the process ended without saying how"}
            finish = {**(folder.end(attempt) or lost), "offsets": shipper.offsets()}
            connection.call("POST", f"/api/v1/runs/{part(folder.uid)}/attempts/{attempt}/finish", finish)
        folder.mark_done(attempt)
    if alive:
        return "still running"
    folder.discard()
    return "sent"
