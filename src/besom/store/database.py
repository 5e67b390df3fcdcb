"""Opening the database, looking into it, and changing it.

Changes go through one writer thread: what waits shares a transaction (group commit), and one that fails undoes nothing
of the others; the answers are given after the commit. Looks have a pool of threads and read-only connections. SQLite
(WAL) and PostgreSQL run the same code; the differences are in `dialects`.

On a network file system SQLite's shared memory does not work: there one connection holds the file exclusively, and
looks take their turn with the changes.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine

from besom.errors import DataFolderError, ServerBusy
from besom.store import dialects, events, failures
from besom.store.bell import Bell, Listener
from besom.store.changes import Change, commit
from besom.store.migrating import migrate

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

MOST_CHANGES = 256
MOST_BYTES = 8 * 1024 * 1024
# Above this the answer is ServerBusy; clients keep what they have and come again.
MOST_WAITING_BYTES = 64 * 1024 * 1024
READERS = 4


def refetchable(change: Callable[P, T]) -> Callable[P, T]:
    """Marks a change that a power cut may take back, because whoever sent it will notice and send it again."""
    change.refetchable = True  # type: ignore[attr-defined]
    return change


class Database:
    """An open database: `read`, `write`, and a bell that rings after every commit with events."""

    def __init__(
        self, engine: Engine, now: Callable[[], float], exclusive: bool = False, wait_s: float = dialects.WAIT_S
    ) -> None:
        self.engine = engine
        self.now = now
        self.masked_url = engine.url.render_as_string(hide_password=True)
        self._readers = None if exclusive else dialects.reading_engine(engine.url, wait_s=wait_s)
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="besom-read")
        self._queue: queue.SimpleQueue[Change | None] = queue.SimpleQueue()
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._closed = False
        self._writer = threading.Thread(target=self._write_groups, name="besom-write", daemon=True)
        self._writer.start()
        self.bell = Bell()
        self.bell.ring(self.read_now(events.last_id))
        self._listener: Listener | None = None
        if engine.dialect.name == "postgresql":
            self._listener = Listener(dialects.connect_arguments(engine), self.bell)
            self._listener.start()

    @classmethod
    def open(
        cls,
        url: str,
        *,
        now: Callable[[], float] = time.time,
        exclusive: bool = False,
        wait_s: float = dialects.WAIT_S,
        **facts: Any,
    ) -> Database:
        """Opens ``sqlite:///PATH`` or ``postgresql://…`` and brings its schema up to date.

        ``exclusive``: an SQLite file on a network file system, kept for this process alone. ``wait_s``: how long a
        change waits while another program holds the database. ``facts`` of the server travel with its writing
        connection, for operations that ask for them. Raises DataFolderError if that is impossible and
        IncompatibleVersion if the schema is a newer program's.
        """
        engine = dialects.writing_engine(url, exclusive=exclusive, wait_s=wait_s).execution_options(**facts)
        masked = engine.url.render_as_string(hide_password=True)
        try:
            migrate(engine, now())
            return cls(engine, now, exclusive, wait_s)
        except failures.FAILURES as error:
            engine.dispose()
            repair = f"; {failures.REPAIR}" if failures.is_broken(error) else ""
            raise DataFolderError(
                f"the database {masked} cannot be used: {failures.reason(error, engine.url)}{repair}"
            ) from None
        except BaseException:
            engine.dispose()
            raise

    async def read(self, look: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """``look(connection, …)`` in a thread of the pool, in one consistent snapshot; a write through it fails."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: self.read_now(look, *args, **kwargs))

    def read_now(self, look: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same in this thread."""
        if self._readers is None:
            return self.write_now(_as_look(look), *args, **kwargs)
        try:
            with self._readers.connect() as connection, connection.begin():
                return look(connection, *args, **kwargs)
        except failures.FAILURES as error:
            known = failures.understood(error, self.engine.url)
            if known is not error:
                log.warning("a look failed: %s", known)
            raise known from None

    async def write(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """``change(connection, …)`` on the writer thread; returns or raises after the commit of its group."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._enqueue(future, loop, change, *args, **kwargs)
        return await future

    def write_now(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same, waiting in this thread."""
        future: Future[T] = Future()
        self._enqueue(future, None, change, *args, **kwargs)
        return future.result()

    def _enqueue(
        self,
        future: Any,
        loop: asyncio.AbstractEventLoop | None,
        change: Callable[Concatenate[Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        size = sum(len(arg) for arg in args if isinstance(arg, bytes))
        with self._lock:
            if self._closed:
                raise ServerBusy("the server is shutting down")
            if self._waiting_bytes + size > MOST_WAITING_BYTES:
                raise ServerBusy("too much is waiting to be written: send it again in a moment")
            self._waiting_bytes += size
            self._queue.put(
                Change(
                    lambda connection: change(connection, *args, **kwargs),
                    future,
                    loop,
                    size,
                    getattr(change, "refetchable", False),
                    getattr(change, "is_look", False),
                    getattr(change, "is_upkeep", False),
                )
            )

    def _write_groups(self) -> None:
        following = self._queue.get()
        while following is not None:
            group, following = self._gather(following)
            if group[0].is_upkeep:
                self._keep_up(group[0])
            else:
                self._write_group(group)
            with self._lock:
                self._waiting_bytes -= sum(change.size for change in group)
            if following is _NOTHING:
                following = self._queue.get()

    def _gather(self, first: Change) -> tuple[list[Change], Change | None]:
        """A group that begins with ``first``, and what came after it: None at the end, `_NOTHING` for nothing yet.

        A look is a group of its own, so that it sees no change that might still fail, and so is upkeep.
        """
        group, size = [first], first.size
        while not first.is_alone and len(group) < MOST_CHANGES and size < MOST_BYTES:
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                break
            if following is None or following.is_alone:
                return group, following
            group.append(following)
            size += following.size
        return group, _NOTHING

    def _write_group(self, group: list[Change]) -> None:
        last_event = 0
        try:
            with self.engine.connect() as connection:
                last_event = commit(connection, group)
        except BaseException as error:
            last_event = 0
            log.warning("%d changes were undone: %s", len(group), failures.understood(error, self.engine.url))
            for change in group:
                change.failure = change.failure or error
        if last_event:
            self.bell.ring(last_event)
        self._give_answers(group)

    def _keep_up(self, change: Change) -> None:
        try:
            with self.engine.connect() as connection:
                change.answer = change.call(connection)
        except BaseException as error:
            change.failure = error
        self._give_answers([change])

    def _give_answers(self, group: list[Change]) -> None:
        """Each waiting loop is woken once, however many of its changes were in the group."""
        by_loop: dict[asyncio.AbstractEventLoop, list[Change]] = {}
        for change in group:
            if change.failure is not None:
                change.failure = failures.understood(change.failure, self.engine.url)
            if change.loop is None:
                change.give_answer()
            else:
                by_loop.setdefault(change.loop, []).append(change)
        for loop, changes in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_give_all, changes)

    def size(self) -> int:
        """The bytes that the database takes, the log of an SQLite file with it."""
        if self.engine.dialect.name == "sqlite":
            return dialects.file_size(self.engine.url)
        return self.read_now(dialects.server_size)

    def vacuum(self) -> None:
        """Gives back the space of what was removed.

        Changes wait meanwhile on SQLite, 10 to 20 s for each gigabyte, and looks do not. Raises Refused without room
        for the second copy that SQLite makes.
        """
        if self.engine.dialect.name == "sqlite":
            self.write_now(_upkeep(dialects.vacuum_file))
            return
        try:
            dialects.vacuum_server(self.engine)
        except failures.FAILURES as error:
            raise failures.understood(error, self.engine.url) from None

    def backup(self, target: Path) -> None:
        """Copies a live SQLite database; raises DataFolderError on PostgreSQL, which has tools of its own."""
        self.read_now(dialects.backup, target)

    def close(self) -> None:
        """Writes what waits, then closes every connection."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._writer.join()
        if self._listener is not None:
            self._listener.close()
        self._pool.shutdown(wait=True)
        if self._readers is not None:
            self._readers.dispose()
        self.engine.dispose()


_NOTHING = Change(lambda _: None, None, None, 0, False)


def _give_all(changes: list[Change]) -> None:
    for change in changes:
        change.give_answer()


def _as_look(look: Callable[Concatenate[Connection, P], T]) -> Callable[Concatenate[Connection, P], T]:
    def guarded(connection: Connection, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with dialects.only_looking(connection):
            return look(connection, *args, **kwargs)

    guarded.is_look = True  # type: ignore[attr-defined]
    return guarded


def _upkeep(work: Callable[[Connection], T]) -> Callable[[Connection], T]:
    """Marks work of the writer thread that takes place outside of a transaction."""

    def outside(connection: Connection, /) -> T:
        return work(connection)

    outside.is_upkeep = True  # type: ignore[attr-defined]
    return outside
