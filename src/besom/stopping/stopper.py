"""The seam that every early-stopping rule fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, Protocol

from besom.stopping.ladder import Ladder

Compared = Literal["value", "best", "mean"]


class Seen(NamedTuple):
    """What a run has shown where a rule looks at it, in the metric's own unit.

    ``length`` finite values were logged until then, the last of them ``value``; ``best`` and ``mean`` are of all.
    """

    length: int
    value: float
    best: float
    mean: float


@dataclass(frozen=True, slots=True)
class Stop:
    """The verdict that a run ends early, with the sentence that people read."""

    reason: str

    def __post_init__(self) -> None:
        if not self.reason:
            raise ValueError("a stop needs a reason")


class Peers(Protocol):
    """The other runs that were at a rung; for a rule that compares nothing, all other runs of the sweep."""

    def count(self) -> int:
        """How many they are."""

    def nth(self, index: int) -> float:
        """Their values there (of the kind that the rule compares), best first, from 0."""


class Stopper(Protocol):
    """Says whether a run should go on.

    It looks at a run that reaches a rung of its ladder, and at values that are no finite numbers. What the run shows at
    a rung is kept under ``track``, for judging others that come there and for looks at the same run; rules with the
    same track share it. ``track`` None: nothing is kept. ``compares`` is what it wants of other runs, None: nothing.
    """

    options: ClassVar[Mapping[str, str]]

    @property
    def ladder(self) -> Ladder:
        """Where it looks."""

    @property
    def track(self) -> str | None:
        """Under which name a run's looks are kept."""

    @property
    def compares(self) -> Compared | None:
        """Which value of the other runs it wants."""

    def keeps(self, rung: int, seen: Seen, mine: Mapping[int, Seen]) -> Mapping[int, Seen]:
        """What is kept of a run, by rung, after it has shown this: ``mine`` with something more, or something else."""

    def judge(self, rung: int, seen: Seen, mine: Mapping[int, Seen], peers: Peers) -> Stop | None:
        """The verdict on a run at a rung; ``mine`` is what is kept of it, this look included."""

    def judge_streak(self, streak: int, count: int, peers: Peers) -> Stop | None:
        """The verdict on a run whose last ``streak`` values were NaN or infinite, after ``count`` finite ones."""

    def explain(self) -> str:
        """The rule in one sentence, as `besom check` prints it."""
