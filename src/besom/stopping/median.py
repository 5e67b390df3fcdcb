"""`early_terminate: {type: median}`: ends runs that are worse than the median of the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from besom.metric import Metric
from besom.stopping.options import COMMON, OFTEN, RESOURCE, Options
from besom.stopping.rule import Rule
from besom.stopping.sentences import worse
from besom.stopping.stopper import Compared, Peers, Seen, Stop

_MIN_PEERS = 5


class Median(Rule):
    """The median stopping rule.

    At a rung, the best value of the run up to it is compared with the median of the running means of the other runs:
    the mean of all that each of them has logged up to that rung. A run that is worse ends.

    Golovin et al., "Google Vizier: a service for black-box optimization", KDD 2017, section 3.2.2. There completed
    runs are compared; here all that came to the rung, so that a sweep's first runs can be judged too.
    """

    compares: Compared | None = "mean"
    options: ClassVar[Mapping[str, str]] = {
        **OFTEN,
        **RESOURCE,
        **COMMON,
    }

    @classmethod
    def from_options(cls, given: Mapping[str, Any], metric: Metric) -> Median:
        """From the keys of a sweep file without ``type``. Raises ValueError with a sentence."""
        options = Options("median", given, cls.options)
        return cls(metric, options.looks(metric.name), options.min_peers(default=_MIN_PEERS))

    def judge(self, rung: int, seen: Seen, mine: Mapping[int, Seen], peers: Peers) -> Stop | None:
        """Stop for a run whose best value is worse than the median of the others' running means."""
        others = peers.count()
        if others == 0 or self._too_few(peers):
            return None
        limit = _median(peers, others)
        if not self._metric.better(limit, seen.best):
            return None
        told = worse(self._metric, seen.best, limit, remark=", the best so far,")
        means = f"the running means of {others} other runs" if others > 1 else "the running mean of 1 other run"
        return Stop(f"{self.ladder.place(rung)}: {told}, the median of {means}")

    def explain(self) -> str:
        """The rungs, and who goes on there."""
        where = self.ladder.explain(self._metric.name)
        best = "a run goes on whose best value is no worse than the median of the others' running means"
        return f"median: {best}, {where}{self._once()}"


def _median(peers: Peers, count: int) -> float:
    middle = peers.nth(count // 2)
    if count % 2:
        return middle
    # A sum of both may be beyond a double, and halves of tiny numbers are 0.
    return middle + (peers.nth(count // 2 - 1) - middle) / 2
