"""Puts a copy of an SQLite database in the place of the one that a server had. No server may run meanwhile.

What was there is kept beside it, and at every moment one whole database is in the place.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import create_engine

from besom.errors import DataFolderError, Refused
from besom.store.copies import copy_whole, replaced_name, sync
from besom.store.migrating import check_known, current_version, is_foreign

_BESIDE = ("-wal", "-shm")


def restore(copy: Path, target: Path, now: float) -> Path | None:
    """Makes ``copy`` the database ``target``; returns where what was there is kept, None if nothing was.

    Raises DataFolderError for a copy that is damaged or of another program, IncompatibleVersion for one of a newer
    program, Refused while another program has ``target`` open. Then nothing has changed.
    """
    _check(copy)
    draft = target.with_name(f"{target.name}.restoring")
    try:
        with contextlib.closing(_open(copy)) as raw:
            copy_whole(raw, draft)
        _go_on_counting(draft, _last_event(target))
        kept = _set_aside(target, now)
        os.replace(draft, target)
        sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise DataFolderError(f"{copy} cannot be put in the place of {target}: {error}") from None
    finally:
        draft.unlink(missing_ok=True)
    return kept


def _open(copy: Path) -> sqlite3.Connection:
    # Without a log beside it the file is all there is, and reading it must not make one.
    alone = "" if Path(f"{copy}-wal").exists() else "&immutable=1"
    return sqlite3.connect(f"file:{quote(str(copy.absolute()))}?mode=ro{alone}", uri=True)


def _check(copy: Path) -> None:
    if not copy.is_file():
        raise DataFolderError(f"there is no file {copy}: name one that `besom server backup` has written")
    engine = create_engine("sqlite://", creator=lambda: _open(copy))
    try:
        with contextlib.closing(_open(copy)) as raw:
            found = [row[0] for row in raw.execute("PRAGMA integrity_check(1)")]
        if found != ["ok"]:
            raise DataFolderError(f"{copy} is damaged and was not restored: {' '.join(found[0].split())}")
        with engine.connect() as connection:
            version = current_version(connection)
            if version is None or is_foreign(connection):
                raise DataFolderError(f"{copy} is not a database of Besom and was not restored")
            check_known(version, str(copy))
    except sqlite3.Error as error:
        raise DataFolderError(f"{copy} is damaged and was not restored: {error}") from None
    finally:
        engine.dispose()


def _last_event(target: Path) -> int:
    if not target.exists():
        return 0
    try:
        with contextlib.closing(sqlite3.connect(target)) as raw:
            found = raw.execute("SELECT seq FROM sqlite_sequence WHERE name = 'event'").fetchone()
    except sqlite3.Error:
        # Damaged, or none of ours: it is about to be replaced.
        return 0
    return int(found[0]) if found else 0


def _go_on_counting(draft: Path, last_event: int) -> None:
    """Numbers of events that readers have seen are not given out again."""
    with contextlib.closing(sqlite3.connect(draft)) as raw, raw:
        changed = raw.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'event'", (last_event,))
        if not changed.rowcount:
            raw.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('event', ?)", (last_event,))


def _set_aside(target: Path, now: float) -> Path | None:
    if not target.exists():
        return None
    kept = replaced_name(target, now)
    log = Path(f"{target}-wal")
    try:
        with contextlib.closing(sqlite3.connect(target, timeout=1)) as raw:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error:
        # Damaged: kept as it is, with its log.
        for end in _BESIDE:
            if Path(f"{target}{end}").exists():
                os.replace(f"{target}{end}", f"{kept}{end}")
    if log.exists() and log.stat().st_size:
        raise Refused(f"another program has {target} open: end it first")
    for end in _BESIDE:
        Path(f"{target}{end}").unlink(missing_ok=True)
    # A second name, so that there is a database in the place until the other one replaces it.
    try:
        os.link(target, kept)
    except OSError:
        # A file system without second names.
        shutil.copy2(target, kept)
        sync(kept)
    return kept
