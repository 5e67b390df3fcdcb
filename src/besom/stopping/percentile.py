"""`early_terminate: {type: percentile}`: ends runs that are not among the best part of those that came so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from besom.metric import Metric
from besom.stopping.ladder import Ladder
from besom.stopping.options import COMMON, OFTEN, RESOURCE, Options
from besom.stopping.ranked import Ranked

_PERCENTILE = 50
_MIN_PEERS = 5


class Percentile(Ranked):
    """Looks often, and lets a chosen part of the runs go on.

    Of n runs at a rung, the one that arrives included, the best ``ceil(n percentile / 100)`` go on. A run that is worse
    than the last of them ends; equal values stay. Compared are the best values up to the rung, so that one noisy value
    ends nobody; with `strict` those at the rung.
    """

    options: ClassVar[Mapping[str, str]] = {
        "percentile": "of the runs at a rung, the best this many percent go on (50)",
        **OFTEN,
        "strict": "compare the value at the rung (true), or the best value up to it (false)",
        **RESOURCE,
        **COMMON,
    }

    name = "percentile"

    def __init__(self, metric: Metric, ladder: Ladder, *, percentile: float, strict: bool, min_peers: int) -> None:
        super().__init__(metric, ladder, strict=strict, min_peers=min_peers)
        self._percentile = percentile

    @classmethod
    def from_options(cls, given: Mapping[str, Any], metric: Metric) -> Percentile:
        """From the keys of a sweep file without ``type``. Raises ValueError with a sentence."""
        options = Options("percentile", given, cls.options)
        percentile = options.number("percentile", _PERCENTILE)
        if not 0 < percentile < 100:
            raise ValueError(f"`percentile` must be between 0 and 100, not {percentile}: 25 keeps the best quarter")
        ladder = options.looks(metric.name)
        strict, peers = options.flag("strict", default=False), options.min_peers(default=_MIN_PEERS)
        return cls(metric, ladder, percentile=percentile, strict=strict, min_peers=peers)

    def last(self, runs: int) -> int:
        """One before the part that goes on, which is rounded up."""
        return max(1, math.ceil(runs * self._percentile / 100)) - 1

    def part(self) -> str:
        """``25 percent``."""
        return f"{self._percentile:g} percent"
