"""What the rules have in common."""

from __future__ import annotations

from collections.abc import Mapping

from besom.metric import Metric
from besom.stopping.ladder import Ladder
from besom.stopping.stopper import Compared, Peers, Seen, Stop


class Rule:
    """A rule that says nothing: the others say something at their rungs, or at values that are no finite numbers.

    ``min_peers``: nobody is judged where fewer runs than this were, the judged one included.
    """

    compares: Compared | None = None

    def __init__(self, metric: Metric, ladder: Ladder, min_peers: int = 1) -> None:
        self._metric = metric
        self._min_peers = min_peers
        self.ladder = ladder

    @property
    def track(self) -> str | None:
        """What its rungs measure, if it compares runs there."""
        return None if self.compares is None else self.ladder.track

    def keeps(self, rung: int, seen: Seen, mine: Mapping[int, Seen]) -> Mapping[int, Seen]:
        """Every rung, if it compares runs there."""
        return mine if self.compares is None else {**mine, rung: seen}

    def judge(self, rung: int, seen: Seen, mine: Mapping[int, Seen], peers: Peers) -> Stop | None:
        """Nothing."""
        return None

    def judge_streak(self, streak: int, count: int, peers: Peers) -> Stop | None:
        """Nothing."""
        return None

    def _too_few(self, peers: Peers) -> bool:
        return self._min_peers > 1 and peers.count() + 1 < self._min_peers

    def _once(self) -> str:
        """What `explain` says of ``min_peers``."""
        return f", once {self._min_peers} runs have come" if self._min_peers > 1 else ""
