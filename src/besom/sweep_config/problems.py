"""A remark on a sweep config, with its place."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


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
