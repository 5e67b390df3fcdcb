"""The seam that every early-stopping rule fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class RungValue(NamedTuple):
    """What a run showed at a rung, in the metric's own unit: the value there and the best value up to there."""

    value: float
    best: float


@dataclass(frozen=True, slots=True)
class Stop:
    """The verdict that a run ends early, with the sentence that people read."""

    reason: str

    def __post_init__(self) -> None:
        if not self.reason:
            raise ValueError("a stop needs a reason")


class Stopper(Protocol):
    """Says whether a run should go on. Looks at rungs, and at values that are no finite numbers."""

    def is_rung(self, count: int) -> bool:
        """True if the rule looks at a run that has just logged its ``count``-th finite value (from 1)."""

    def rungs(self, most: int) -> list[int]:
        """The first ``most`` rungs in order."""

    def judge(self, rung: int, mine: RungValue, peers: Sequence[RungValue]) -> Stop | None:
        """The verdict on a run at ``rung``; ``peers`` are the values of all runs there, this one included."""

    def judge_streak(self, streak: int) -> Stop | None:
        """The verdict on a run whose last ``streak`` values of the metric were NaN or infinite."""
