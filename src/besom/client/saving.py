"""Keeps files beside a run: `run.save()`."""

from __future__ import annotations

import glob as globbing
import os
import shutil
from pathlib import Path

from besom.client.say import say, warn
from besom.errors import UsageError

POLICIES = ("now", "live", "end")


class SavedFiles:
    """Copies files into ``folder``; those with the policies "live" and "end" once more at the end of the run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._again: list[tuple[str, str | None, bool]] = []

    def save(self, pattern: str, base_path: str | None, policy: str, glob: bool) -> list[str]:
        """Copies what matches and returns the copies. Below ``base_path`` (else the working folder) paths are kept."""
        if policy not in POLICIES:
            raise UsageError(f"save(policy={policy!r}): the policies are {', '.join(POLICIES)}")
        if policy != "now":
            self._again.append((pattern, base_path, glob))
        copies = self._copy(pattern, base_path, glob)
        if not copies and policy == "now":
            warn(f"save({pattern!r}) matches no file")
        return copies

    def again(self) -> None:
        """Copies the newest state of files that may have changed since."""
        for pattern, base_path, glob in self._again:
            self._copy(pattern, base_path, glob)

    def _copy(self, pattern: str, base_path: str | None, glob: bool) -> list[str]:
        found = globbing.glob(pattern, recursive=True) if glob else [pattern]
        copies = []
        for name in sorted(found):
            if os.path.isfile(name) and self._is_inside(name):
                # It lies where the copies go.
                copies.append(os.path.abspath(name))
            elif os.path.isfile(name):
                copy = self.folder / _inner_path(name, base_path)
                try:
                    copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                    shutil.copy2(name, copy)
                except OSError as error:
                    warn(f"{name} was not saved: {error.strerror or error}")
                    continue
                copies.append(str(copy))
        if copies:
            say_where(self.folder)
        return copies

    def _is_inside(self, name: str) -> bool:
        return Path(name).resolve().is_relative_to(self.folder.resolve())


_said: set[Path] = set()


def say_where(folder: Path) -> None:
    """Says once a run that its files stay on this machine."""
    if folder not in _said:
        _said.add(folder)
        say(f"saved files are kept in {folder}; this version does not send them to the server")


def _inner_path(name: str, base_path: str | None) -> Path:
    """Where a file goes below the folder: its path from the base, or its bare name if it lies elsewhere."""
    file = Path(name).resolve()
    base = Path(base_path or ".").resolve()
    return file.relative_to(base) if file.is_relative_to(base) else Path(file.name)
