"""Copies of an SQLite file: whole or not there, also after a kill in the middle."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import time
from pathlib import Path
from typing import Any

# Migrations leave copies beside the file; the newest are enough.
COPIES_KEPT = 3
_BEFORE = ".before-"
_REPLACED = ".replaced-"
_DRAFT = ".draft"


def stamp(now: float) -> str:
    """A time as a part of a file's name, sorted as time goes: 20261124T131500Z."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))


def copy_whole(raw: Any, target: Path) -> None:
    """Copies the file as the connection ``raw`` sees it, also while others write to it (mode 0600, on the disk).

    The connection must not be inside a transaction that writes: SQLite would wait for its end. Raises OSError or
    sqlite3.Error, and then nothing is at ``target``.
    """
    draft = target.with_name(f".{target.name}{_DRAFT}")
    try:
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with contextlib.closing(sqlite3.connect(draft)) as copy:
            raw.backup(copy)
        sync(draft)
        os.replace(draft, target)
        sync(target.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def copy_before(raw: Any, file: Path, version: str, now: float) -> Path:
    """Copies the file beside itself before its schema becomes ``version``; of such copies the newest three stay."""
    copy = file.with_name(f"{file.name}{_BEFORE}{version}-{stamp(now)}")
    copy_whole(raw, copy)
    for old in copies_beside(file)[:-COPIES_KEPT]:
        old.unlink(missing_ok=True)
    return copy


def copies_beside(file: Path) -> list[Path]:
    """The copies that migrations have left beside the file, the oldest first."""
    found = [path for path in file.parent.glob(f"{file.name}{_BEFORE}*") if _stamp_of(path)]
    return sorted(found, key=_stamp_of)


def replaced_name(file: Path, now: float) -> Path:
    """A free name beside the file for what a restore takes out of its place."""
    first = file.with_name(f"{file.name}{_REPLACED}{stamp(now)}")
    found, number = first, 1
    while found.exists():
        number += 1
        found = first.with_name(f"{first.name}-{number}")
    return found


def bytes_beside(file: Path) -> int:
    """The bytes of everything that migrations and restores have left beside the file."""
    found = [path for kind in (_BEFORE, _REPLACED) for path in file.parent.glob(f"{file.name}{kind}*")]
    return sum(path.stat().st_size for path in found)


def _stamp_of(path: Path) -> str:
    found = re.search(r"-(\d{8}T\d{6}Z)$", path.name)
    return found[1] if found else ""


def drop_drafts(folder: Path) -> None:
    """Removes what copies that were killed have left in the folder. To be called while nobody copies there."""
    for draft in folder.glob(f".*{_DRAFT}*"):
        draft.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Makes a file's content, or a folder's names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
