"""A group of changes in one transaction: made at once, and one by one where one of them fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from besom.store import counters, dialects, events, failures
from besom.store.prepared import Prepared

# SQLAlchemy's own savepoints cost more than most changes.
_SAVE, _UNDO, _KEEP = (
    Prepared(text(f"{word} besom_change")) for word in ("SAVEPOINT", "ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT")
)


@dataclass(slots=True)
class Change:
    """Something that waits to be done, and what came of it."""

    call: Callable[[Connection], Any]
    # A future of the loop that waits, or of concurrent.futures for a thread that waits.
    future: Any
    loop: asyncio.AbstractEventLoop | None
    size: int
    refetchable: bool
    is_look: bool = False
    is_upkeep: bool = False
    failure: BaseException | None = None
    answer: Any = None

    @property
    def is_alone(self) -> bool:
        """True for what shares its turn with nothing else."""
        return self.is_look or self.is_upkeep

    def give_answer(self) -> None:
        """Tells whoever waits, unless he has gone."""
        if self.future.done():
            return
        if self.failure is not None:
            self.future.set_exception(self.failure)
        else:
            self.future.set_result(self.answer)


def commit(connection: Connection, group: list[Change]) -> int:
    """Makes the changes in one transaction and returns the id of the last event that they told of; 0 for none.

    Savepoints cost more than the changes, since SQLite copies what is changed behind one. Almost always every change
    succeeds, so they are made for a group that has failed without them.
    """
    try:
        return _commit_at_once(connection, group)
    except _Failed as failed:
        if len(group) > 1:
            return _commit_apart(connection, group)
        if isinstance(failed.reason, failures.FAILURES):
            raise failed.reason from None
        group[0].failure = failed.reason
        return 0


def _commit_at_once(connection: Connection, group: list[Change]) -> int:
    """Raises _Failed, which does not tell whose change is to blame."""
    is_ours = False
    _prepare(connection, group)
    with connection.begin():
        try:
            with dialects.unanswered(connection):
                _begin(connection)
                is_ours = True
                for change in group:
                    _make(connection, change)
                return _end(connection)
        except failures.FAILURES as error:
            if not is_ours:
                raise
            raise _Failed(error) from error


def _commit_apart(connection: Connection, group: list[Change]) -> int:
    # Again: in the place of a connection that broke there is another one now.
    _prepare(connection, group)
    with connection.begin():
        _begin(connection)
        for change in group:
            _try(connection, change)
        return _end(connection)


def _prepare(connection: Connection, group: list[Change]) -> None:
    refetchable = all(change.refetchable for change in group)
    dialects.prepare(connection, refetchable=refetchable, looking=group[0].is_look)


def _begin(connection: Connection) -> None:
    dialects.begin_writing(connection)
    events.take_back(connection, 0)
    counters.begin(connection)


def _end(connection: Connection) -> int:
    counters.end(connection)
    last_event = events.write_told(connection)
    if last_event:
        dialects.notify(connection, last_event)
    return last_event


class _Failed(Exception):
    """A change failed, for a reason of its own, and the transaction was undone."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _make(connection: Connection, change: Change) -> None:
    try:
        change.answer = change.call(connection)
    except Exception as error:
        raise _Failed(error) from error


def _try(connection: Connection, change: Change) -> None:
    told, counted = events.count_told(connection), counters.mark(connection)
    _SAVE.execute(connection)
    try:
        change.answer = change.call(connection)
    except Exception as error:
        change.failure = error
        _UNDO.execute(connection)
        _KEEP.execute(connection)
        events.take_back(connection, told)
        counters.take_back(connection, counted)
    else:
        _KEEP.execute(connection)
