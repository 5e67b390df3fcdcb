"""What was found, one JSON line each, so that a later start goes on where this one ended."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Key:
    """Names one search."""

    engine: str
    function: str
    seed: int
    parallel: int


class Results:
    """A folder with a file of searches for each engine, and one of the time of suggestions.

    The later of two lines about the same thing counts.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def searches(self) -> dict[Key, dict[str, Any]]:
        """All finished searches."""
        return {key_of(line): line for file in sorted(self._folder.glob("search-*.jsonl")) for line in _lines(file)}

    def times(self) -> dict[tuple[str, int], dict[str, Any]]:
        """Engine and number of runs → what a suggestion took."""
        return {(line["engine"], line["runs"]): line for line in _lines(self._folder / "times.jsonl")}

    def add_search(self, key: Key, found: dict[str, Any]) -> None:
        """Keeps a search, in place of one of the same key."""
        own = {"engine": key.engine, "function": key.function, "seed": key.seed, "parallel": key.parallel}
        file = self._folder / f"search-{key.engine}.jsonl"
        _write(file, [*(line for line in _lines(file) if key_of(line) != key), {**own, **found}])

    def add_time(self, engine: str, runs: int, found: dict[str, Any]) -> None:
        """Keeps the time of a suggestion, in place of an older one."""
        file = self._folder / "times.jsonl"
        others = [line for line in _lines(file) if (line["engine"], line["runs"]) != (engine, runs)]
        _write(file, [*others, {"engine": engine, "runs": runs, **found}])


def key_of(line: dict[str, Any]) -> Key:
    return Key(line["engine"], line["function"], line["seed"], line["parallel"])


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    if file.exists():
        for text in file.read_text(encoding="utf-8").splitlines():
            yield json.loads(text)


def _write(file: Path, lines: list[dict[str, Any]]) -> None:
    """Whole or not at all."""
    draft = file.with_suffix(f".{os.getpid()}")
    draft.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    draft.replace(file)
