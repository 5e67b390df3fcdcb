"""Remarks on a sweep config: one, a growing list of them, and the nearest right word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from besom.sweep_config.tree import Node

MOST_PROBLEMS = 100

# A node, or line and column; None: no place.
Where = Node | tuple[int | None, int | None] | None


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong (``error``) or worth knowing (``note``). ``key`` is a dotted path; lines and columns from 1."""

    sentence: str
    key: str = ""
    line: int | None = None
    column: int | None = None
    file: str = ""
    severity: Literal["error", "note"] = "error"

    def as_dict(self) -> dict[str, Any]:
        """The form in which problems travel (`errors.SweepConfigError`, `wire.sweeps.Problem`)."""
        return asdict(self)


class Findings:
    """Everything found so far in one sweep config: errors and notes, each at its place."""

    def __init__(self, file: str = "") -> None:
        self.file = file
        self._errors: list[Problem] = []
        self._notes: list[Problem] = []
        self._untold = 0

    def error(self, sentence: str, key: str = "", at: Where = None) -> None:
        """Something wrong at a node's value or at (line, column)."""
        if len(self._errors) >= MOST_PROBLEMS:
            self._untold += 1
            return
        self._errors.append(self._problem(sentence, key, at, "error"))

    def note(self, sentence: str, key: str = "", at: Where = None) -> None:
        """Something worth knowing."""
        if len(self._notes) < MOST_PROBLEMS:
            self._notes.append(self._problem(sentence, key, at, "note"))

    def _problem(
        self,
        sentence: str,
        key: str,
        at: Where,
        severity: Literal["error", "note"],
    ) -> Problem:
        line, column = (at.line, at.column) if isinstance(at, Node) else at or (None, None)
        return Problem(sentence, key, line, column, self.file, severity)

    @property
    def any_error(self) -> bool:
        """True once something is wrong."""
        return bool(self._errors)

    def errors(self) -> list[Problem]:
        """All errors in the order of the file; the last one counts those beyond the first hundred."""
        found = sorted(self._errors, key=_place)
        if self._untold:
            found.append(Problem(f"and {self._untold:,} more problems of this file are not listed", file=self.file))
        return found

    def notes(self) -> tuple[Problem, ...]:
        """All notes in the order of the file."""
        return tuple(sorted(self._notes, key=_place))


def _place(problem: Problem) -> tuple[int, int]:
    return problem.line or 0, problem.column or 0


def did_you_mean(word: str, options: Iterable[str], *, also: Mapping[str, str] | None = None) -> str:
    """``: did you mean `x`?``, or nothing when no option is near. ``also`` maps other people's words to ours."""
    nearest = nearest_word(word, options, also=also)
    return f": did you mean `{nearest}`?" if nearest else ""


def nearest_word(word: str, options: Iterable[str], *, also: Mapping[str, str] | None = None) -> str | None:
    """The option that was probably meant."""
    by_letters = {_letters(option): option for option in options}
    by_letters |= {_letters(other): option for other, option in (also or {}).items()}
    letters = _letters(word)
    if not letters:
        return None
    found = difflib.get_close_matches(letters, by_letters, n=1, cutoff=0.65)
    if found:
        return by_letters[found[0]]
    starts = [option for known, option in by_letters.items() if len(letters) >= 3 and known.startswith(letters)]
    return starts[0] if len(starts) == 1 else None


def _letters(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())
