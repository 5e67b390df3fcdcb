"""The project's name where nobody gave one: that of the repository or folder in which the program lies."""

from __future__ import annotations

import re
import sys
from pathlib import Path

FALLBACK = "uncategorized"
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f/\\#?%:]+")


def default_project(program: str | None = None, folder: Path | None = None) -> str:
    """The name of the git repository around ``program`` (default: the running one), else of its folder."""
    start = _folder_of(program, folder or Path.cwd())
    for place in (start, *start.parents):
        if (place / ".git").exists():
            start = place
            break
    name = _NOT_IN_NAMES.sub("_", start.name).strip()[:128]
    return name if name.strip("._ ") else FALLBACK


def _folder_of(program: str | None, folder: Path) -> Path:
    if program is None:
        program = getattr(sys.modules.get("__main__"), "__file__", None)
    if program and (folder / program).is_file():
        return (folder / program).resolve().parent
    return folder.resolve()
