"""What was measured, one file a measure, so that a later start goes on where this one ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Results:
    """The folder of finished measures. Those of ``--quick`` lie apart: they say nothing about speed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def read(self, name: str) -> dict[str, Any] | None:
        """A finished measure; None if it is not there yet."""
        try:
            found: dict[str, Any] = json.loads(self._file(name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found

    def write(self, name: str, found: dict[str, Any]) -> None:
        """Keeps a finished measure: whole or not at all."""
        draft = self._file(name).with_suffix(".part")
        draft.write_text(json.dumps(found, indent=1), encoding="utf-8")
        draft.rename(self._file(name))

    def forget(self, name: str) -> None:
        """Has the measure taken again."""
        self._file(name).unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.json"
