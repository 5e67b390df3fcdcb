"""The folder of a run that is over becomes that of the next run: on many file systems to make files is dear.

Making a folder with a config, a note and a spool, and deleting it again, may take longer than all the rest of a short
run. So what a run of a warm process leaves is emptied and gets another name.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

from besom.agents.notes import Note
from besom.client.run_folder import RunFolder

# The attempt and the writer whose files are used again.
_ATTEMPT = 1
WRITER = "w1"
_SPOOL_FOLDER = f"{_ATTEMPT}-{WRITER}"
_CONSOLE_FOLDER = f"{_ATTEMPT}-0"
_FILES = {"config.json", f"agent-{_ATTEMPT}.json", _SPOOL_FOLDER}


class Discard(Protocol):
    """As `Shipping.discard`."""

    def __call__(self, folder: RunFolder, attempt: int, *, keep_log: bool) -> None:
        """Deletes the folder soon."""
        ...


class Spare:
    """At most one folder, of a run whose end the server has heard; its note says so."""

    def __init__(self, discard: Discard) -> None:
        self._discard = discard
        self._folder: RunFolder | None = None

    def keep(self, folder: RunFolder, closed: str | None) -> bool:
        """Keeps the folder for the run that begins now; False if somebody may still write to its spool.

        ``closed`` is the spool that the process of the last call says it has closed.
        """
        if closed != folder.history_file(_ATTEMPT, WRITER):
            return False
        self.close()
        self._folder = folder
        return True

    def become(self, folder: RunFolder, attempt: int, note_in: Callable[[RunFolder], Note]) -> Note | None:
        """Makes the spare folder this one, with an empty spool of `WRITER`, and returns its note; None: it is not made.

        First the spool is emptied, then the note speaks of a new attempt, then the name changes. Whoever dies in
        between leaves a run of which the server knows everything: to tell it again changes nothing.
        """
        spare, self._folder = self._folder, None
        if spare is None:
            return None
        note: Note | None = None
        if attempt == _ATTEMPT:
            try:
                _empty(spare.history_file(_ATTEMPT, WRITER))
                note = note_in(spare)
                os.rename(spare.place, folder.place)
            except OSError:
                # Somebody has cleared up here, or the disk has trouble: a folder that is made will show which.
                pass
            else:
                # Now, when no process of the old run finds the folder any more.
                if _is_clean(folder):
                    return note
                os.rename(folder.place, spare.place)
        if note is not None:
            note.close()
        self._discard(spare, _ATTEMPT, keep_log=False)
        return None

    def close(self) -> None:
        """Deletes what is kept."""
        if self._folder is not None:
            self._discard(self._folder, _ATTEMPT, keep_log=False)
            self._folder = None


def _empty(file: str) -> None:
    # Opened and closed for it alone: ext4 writes a file to the disk when it is closed for the first time after this.
    descriptor = os.open(file, os.O_WRONLY)
    try:
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _is_clean(folder: RunFolder) -> bool:
    """True if nothing is in the folder but what every run leaves; what was printed is deleted."""
    found = set(os.listdir(folder.place))
    spool = folder.history_file(_ATTEMPT, WRITER)
    if found - {_CONSOLE_FOLDER} != _FILES or os.listdir(os.path.dirname(spool)) != [os.path.basename(spool)]:
        return False
    if _CONSOLE_FOLDER not in found:
        return True
    console = folder.stream_file(_ATTEMPT, "0", "console")
    console.unlink(missing_ok=True)
    return not os.listdir(console.parent)
