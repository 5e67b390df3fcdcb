"""Opening the database, looking into it, and changing it.

Changes go through one writer thread: what waits shares a transaction (group commit), each change in a savepoint of its
own, so that one that fails undoes nothing of the others; the answers are given after the commit. Looks have a pool of
threads and read-only connections. SQLite (WAL) and PostgreSQL run the same code; the differences are in `dialects`.

On a network file system SQLite's shared memory does not work: there one connection holds the file exclusively, and
looks take their turn with the changes.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine

from besom.errors import DataFolderError, ServerBusy
from besom.store import dialects, events
from besom.store.bell import Bell, Listener
from besom.store.migrating import migrate

P = ParamSpec("P")
T = TypeVar("T")

MOST_CHANGES = 256
MOST_BYTES = 8 * 1024 * 1024
# Above this the answer is ServerBusy; clients keep what they have and come again.
MOST_WAITING_BYTES = 64 * 1024 * 1024
READERS = 4


def refetchable(change: Callable[P, T]) -> Callable[P, T]:
    """Marks a change that a power cut may take back, because whoever sent it will notice and send it again."""
    change.refetchable = True  # type: ignore[attr-defined]
    return change


@dataclass(slots=True)
class _Change:
    call: Callable[[Connection], Any]
    future: Future[Any]
    size: int
    refetchable: bool
    is_look: bool = False
    failure: BaseException | None = None
    answer: Any = None


class Database:
    """An open database: `read`, `write`, and a bell that rings after every commit with events."""

    def __init__(self, engine: Engine, now: Callable[[], float], exclusive: bool = False) -> None:
        self.engine = engine
        self.now = now
        self.masked_url = engine.url.render_as_string(hide_password=True)
        self._readers = None if exclusive else dialects.reading_engine(engine.url)
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="besom-read")
        self._queue: queue.SimpleQueue[_Change | None] = queue.SimpleQueue()
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
    def open(cls, url: str, *, now: Callable[[], float] = time.time, exclusive: bool = False) -> Database:
        """Opens ``sqlite:///PATH`` or ``postgresql://…`` and brings its schema up to date.

        ``exclusive``: an SQLite file on a network file system, kept for this process alone. Raises DataFolderError if
        that is impossible and IncompatibleVersion if the schema is a newer program's.
        """
        engine = dialects.writing_engine(url, exclusive=exclusive)
        masked = engine.url.render_as_string(hide_password=True)
        try:
            migrate(engine, now())
            return cls(engine, now, exclusive)
        except dialects.FAILURES as error:
            engine.dispose()
            raise DataFolderError(
                f"the database {masked} cannot be used: {dialects.reason(error, engine.url)}"
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
            return self._enqueue(_as_look(look), *args, **kwargs).result()
        with self._readers.connect() as connection, connection.begin():
            return look(connection, *args, **kwargs)

    async def write(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """``change(connection, …)`` on the writer thread; returns or raises after the commit of its group."""
        return await asyncio.wrap_future(self._enqueue(change, *args, **kwargs))

    def write_now(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same, waiting in this thread."""
        return self._enqueue(change, *args, **kwargs).result()

    def _enqueue(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        size = sum(len(arg) for arg in args if isinstance(arg, bytes))
        future: Future[T] = Future()
        # A change that has begun is not undone by whoever stops waiting for it.
        future.set_running_or_notify_cancel()
        with self._lock:
            if self._closed:
                raise ServerBusy("the server is shutting down")
            if self._waiting_bytes + size > MOST_WAITING_BYTES:
                raise ServerBusy("too much is waiting to be written: send it again in a moment")
            self._waiting_bytes += size
            self._queue.put(
                _Change(
                    lambda connection: change(connection, *args, **kwargs),
                    future,
                    size,
                    getattr(change, "refetchable", False),
                    getattr(change, "is_look", False),
                )
            )
        return future

    def _write_groups(self) -> None:
        following = self._queue.get()
        while following is not None:
            group, following = self._gather(following)
            self._write_group(group)
            with self._lock:
                self._waiting_bytes -= sum(change.size for change in group)
            if following is _NOTHING:
                following = self._queue.get()

    def _gather(self, first: _Change) -> tuple[list[_Change], _Change | None]:
        """A group that begins with ``first``, and what came after it: None at the end, `_NOTHING` for nothing yet.

        A look is a group of its own, so that it sees no change that might still fail.
        """
        group, size = [first], first.size
        while not first.is_look and len(group) < MOST_CHANGES and size < MOST_BYTES:
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                break
            if following is None or following.is_look:
                return group, following
            group.append(following)
            size += following.size
        return group, _NOTHING

    def _write_group(self, group: list[_Change]) -> None:
        last_event = 0
        try:
            with self.engine.connect() as connection:
                dialects.prepare(
                    connection,
                    refetchable=all(change.refetchable for change in group),
                    looking=group[0].is_look,
                )
                with connection.begin():
                    dialects.begin_writing(connection)
                    for change in group:
                        _try(connection, change)
                    last_event = events.last_written(connection)
                    if last_event:
                        dialects.notify(connection, last_event)
        except BaseException as error:
            last_event = 0
            for change in group:
                change.failure = change.failure or error
        if last_event:
            self.bell.ring(last_event)
        for change in group:
            if change.failure is not None:
                change.future.set_exception(change.failure)
            else:
                change.future.set_result(change.answer)

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


_NOTHING = _Change(lambda _: None, Future(), 0, False)


def _as_look(look: Callable[Concatenate[Connection, P], T]) -> Callable[Concatenate[Connection, P], T]:
    def guarded(connection: Connection, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with dialects.only_looking(connection):
            return look(connection, *args, **kwargs)

    guarded.is_look = True  # type: ignore[attr-defined]
    return guarded


def _try(connection: Connection, change: _Change) -> None:
    savepoint = connection.begin_nested()
    told = events.last_told(connection)
    try:
        change.answer = change.call(connection)
    except Exception as error:
        change.failure = error
        savepoint.rollback()
        events.take_back(connection, told)
    else:
        savepoint.commit()
