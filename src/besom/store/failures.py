"""What a database raises when it cannot be used, as the sentence for whoever asked.

Most of it passes: a lock that another program holds, a full disk, a database server that restarts. Whoever asked keeps
what he has and asks again, so the answer must be another one than that of a mistake.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy import URL
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError, PendingRollbackError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from besom.errors import DataFolderError

# What a database that cannot be used raises, through SQLAlchemy or past it.
FAILURES = (SQLAlchemyError, sqlite3.Error)
# A connection that broke inside a transaction shows as a PendingRollbackError at the next statement.
_PASSING = (OperationalError, InterfaceError, PendingRollbackError, PoolTimeout, sqlite3.OperationalError)
_BROKEN = ("malformed", "not a database", "database corruption")
REPAIR = "put a copy in its place with `besom server restore FILE`"


def understood(error: BaseException, url: URL) -> BaseException:
    """A DataFolderError for a database that cannot be used; any other error as it is."""
    if is_broken(error):
        known = DataFolderError(f"the server's database is damaged ({reason(error, url)}): {REPAIR}")
    elif isinstance(error, _PASSING):
        known = DataFolderError(f"the server's database cannot be used now: {reason(error, url)}")
    else:
        return error
    known.__cause__ = error
    return known


def is_broken(error: BaseException) -> bool:
    """True if an SQLite file is not what SQLite once wrote."""
    original = getattr(error, "orig", error)
    is_sqlite = isinstance(error, DatabaseError | sqlite3.DatabaseError) and isinstance(original, sqlite3.DatabaseError)
    return is_sqlite and any(word in str(original) for word in _BROKEN)


def reason(error: BaseException, url: URL) -> str:
    """The database's own words without statement, parameters or password."""
    original = getattr(error, "orig", None)
    words = str(original or error).strip().splitlines()
    sentence = words[0] if words else type(error).__name__
    if isinstance(error, PendingRollbackError):
        sentence = "its connection broke off"
    if url.password:
        sentence = sentence.replace(str(url.password), "***")
    return sentence
