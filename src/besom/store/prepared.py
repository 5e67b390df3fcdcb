"""Statements that are written once, compiled once for each kind of database, and then handed to the driver as they are.

Handing out a run takes a dozen small statements. SQLite answers each within microseconds; building and dispatching it
anew would cost ten times as much. So the statements of every hand-out, heartbeat and append are `Prepared`; those that
people's looks and rare changes need are plain SQLAlchemy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, TypeDecorator, bindparam, insert, update
from sqlalchemy.exc import DBAPIError


@dataclass(frozen=True, slots=True)
class _Compiled:
    """SQL text, the values it takes in order (name, conversion), and the conversions of what comes back."""

    sql: str
    takes: tuple[tuple[str, Callable[[Any], Any] | None], ...]
    names: tuple[str, ...]
    by_position: bool
    defaults: Mapping[str, Any]
    back: tuple[tuple[int, Callable[[Any], Any]], ...]

    def bound(self, values: Mapping[str, Any]) -> Any:
        """The values as the driver wants them."""
        if self.defaults:
            values = {**self.defaults, **values}
        turned = [values[name] if turn is None else turn(values[name]) for name, turn in self.takes]
        return turned if self.by_position else dict(zip(self.names, turned, strict=True))

    def record(self, row: Sequence[Any]) -> Sequence[Any]:
        """A row as Python values."""
        if not self.back:
            return row
        values = list(row)
        for at, turn in self.back:
            values[at] = turn(values[at])
        return values


class Prepared:
    """A statement with named values. ``columns`` are those that an insert or update is given by name.

    Raises what SQLAlchemy raises for the driver's errors.
    """

    def __init__(self, statement: Any, columns: Iterable[str] = ()) -> None:
        self._statement = statement
        self._columns = tuple(columns)
        self._compiled: dict[str, _Compiled] = {}

    def execute(self, connection: Connection, **values: Any) -> None:
        """Runs it for what it changes."""
        self._run(connection, values, _nothing)

    def first(self, connection: Connection, **values: Any) -> Sequence[Any] | None:
        """The first row, None if there is none."""
        compiled, row = self._run(connection, values, _one)
        return None if row is None else compiled.record(row)

    def value(self, connection: Connection, **values: Any) -> Any:
        """The first value of the first row, None if there is none."""
        row = self.first(connection, **values)
        return None if row is None else row[0]

    def all(self, connection: Connection, **values: Any) -> list[Sequence[Any]]:
        """All rows."""
        compiled, rows = self._run(connection, values, _all)
        return [compiled.record(row) for row in rows]

    def many(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Runs it once a row."""
        compiled = self._for(connection)
        bound = [compiled.bound(row) for row in rows]
        try:
            _driver(connection).cursor().executemany(compiled.sql, bound)
        except connection.dialect.loaded_dbapi.Error as error:
            raise as_ours(connection, compiled.sql, error) from error

    def _run(
        self, connection: Connection, values: Mapping[str, Any], take: Callable[[Any], Any]
    ) -> tuple[_Compiled, Any]:
        compiled = self._for(connection)
        bound = compiled.bound(values)
        try:
            return compiled, take(_driver(connection).execute(compiled.sql, bound))
        except connection.dialect.loaded_dbapi.Error as error:
            raise as_ours(connection, compiled.sql, error) from error

    def _for(self, connection: Connection) -> _Compiled:
        found = self._compiled.get(connection.dialect.name)
        if found is None:
            found = self._compiled[connection.dialect.name] = self._compile(connection)
        return found

    def _compile(self, connection: Connection) -> _Compiled:
        dialect = connection.dialect
        compiled: Any = self._statement.compile(dialect=dialect, column_keys=list(self._columns) or None)

        def into(name: str) -> tuple[str, Callable[[Any], Any] | None]:
            kind = compiled.binds[name].type
            # SQLAlchemy puts two more calls around ours.
            return name, getattr(kind, "stored", None) or kind.dialect_impl(dialect).bind_processor(dialect)

        def back(column: Any) -> Callable[[Any], Any] | None:
            # Of plain types both drivers make Python's own.
            own = isinstance(column.type, TypeDecorator)
            turn: Callable[[Any], Any] | None = column.type.result_processor(dialect, None) if own else None
            return turn

        columns = getattr(self._statement, "selected_columns", None) or compiled.effective_returning or ()
        turns = [(at, turn) for at, column in enumerate(columns) if (turn := back(column)) is not None]
        names = tuple(compiled.positiontup or compiled.binds)
        return _Compiled(
            sql=str(compiled),
            takes=tuple(into(name) for name in names),
            names=names,
            by_position=bool(compiled.positional),
            defaults={
                **{name: bind.value for name, bind in compiled.binds.items() if bind.value is not None},
                **{column.key: column.default.arg for column in getattr(compiled, "insert_prefetch", ())},
            },
            back=tuple(turns),
        )


@cache
def _changing(table: Table, columns: tuple[str, ...]) -> Prepared:
    return Prepared(update(table).where(table.c.id == bindparam("which")), [table.c[name].key for name in columns])


@cache
def _inserting(table: Table, columns: tuple[str, ...]) -> Prepared:
    return Prepared(insert(table).returning(table.c.id), [table.c[name].key for name in columns])


@cache
def _adding(table: Table, columns: tuple[str, ...]) -> Prepared:
    return Prepared(insert(table).inline(), [table.c[name].key for name in columns])


def add(connection: Connection, table: Table, values: Mapping[str, Any]) -> None:
    """Inserts a row of these columns."""
    _adding(table, tuple(values)).execute(connection, **values)


def insert_one(connection: Connection, table: Table, values: Mapping[str, Any]) -> int:
    """Inserts a row of these columns and returns its id."""
    return int(_inserting(table, tuple(values)).value(connection, **values))


def change(connection: Connection, table: Table, which: int, values: Mapping[str, Any]) -> None:
    """Sets columns of one row to plain values."""
    if values:
        _changing(table, tuple(values)).execute(connection, which=which, **values)


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def _nothing(_: Any) -> None:
    """For a statement whose answer nobody waits for."""


def _one(cursor: Any) -> Any:
    row = cursor.fetchone()
    cursor.close()
    return row


def _all(cursor: Any) -> Any:
    return cursor.fetchall()


def as_ours(connection: Connection, sql: str | None, error: BaseException) -> BaseException:
    """What SQLAlchemy raises for a driver's error."""
    dialect = connection.dialect
    return DBAPIError.instance(sql, None, error, dialect.loaded_dbapi.Error, dialect=dialect)
