"""What rules have in common by which the best part of the runs at a rung goes on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from besom.metric import Metric
from besom.stopping.ladder import Ladder
from besom.stopping.rule import Rule
from besom.stopping.sentences import worse
from besom.stopping.stopper import Peers, Seen, Stop


class Ranked(Rule, ABC):
    """Sorts all runs that were at a rung, best first, and ends the one that arrives if it is worse than the last that
    goes on. Equal values stay.

    ``strict`` compares the values at the rung, else the best ones up to it. A rule says which is the last to go on.
    """

    name: ClassVar[str]

    def __init__(self, metric: Metric, ladder: Ladder, *, strict: bool, min_peers: int) -> None:
        super().__init__(metric, ladder, min_peers)
        self.compares = "value" if strict else "best"

    @abstractmethod
    def last(self, runs: int) -> int:
        """The index of the last of so many runs, the one that is judged included, that goes on."""

    @abstractmethod
    def part(self) -> str:
        """``third``: which part of the runs goes on."""

    def judge(self, rung: int, seen: Seen, mine: Mapping[int, Seen], peers: Peers) -> Stop | None:
        """Stop for a value that is worse than the last one that goes on."""
        others = peers.count()
        index = self.last(others + 1)
        # The one that is judged is not among the others: what is worse than the one at the index stands behind it.
        if self._too_few(peers) or index >= others:
            return None
        is_strict = self.compares == "value"
        value, limit = seen.value if is_strict else seen.best, peers.nth(index)
        if not self._metric.better(limit, value):
            return None
        told = worse(self._metric, value, limit, remark="" if is_strict else ", the best so far,")
        return Stop(f"{self.ladder.place(rung)}: {told}, the best {self.part()} of {others + 1} runs")

    def explain(self) -> str:
        """The rungs, and who goes on there."""
        where = self.ladder.explain(self._metric.name)
        verb = "go" if self.part().endswith("percent") else "goes"
        return f"{self.name}: the best {self.part()} {verb} on {where}{self._once()}"
