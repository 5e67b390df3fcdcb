"""`early_terminate: {type: asha}`: at each rung a run goes on if it is in the top 1/eta of those that came so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from besom.metric import Metric
from besom.stopping.ladder import Ladder, by_factor
from besom.stopping.options import COMMON, RESOURCE, Options
from besom.stopping.ranked import Ranked
from besom.stopping.sentences import part


class Asha(Ranked):
    """Asynchronous successive halving, in the form that stops runs and never pauses one.

    Rungs are ``min_iter eta^k``. Of n runs at a rung, the one that arrives included, the best ``int(n / eta)`` go on
    (at least one). A run whose value is worse than that of the last of them ends; equal values stay. Nobody is judged
    before ``eta`` runs were at the rung: until then a part of 1/eta is not a whole run.

    Li et al., "A system for massively parallel hyperparameter tuning", MLSys 2020, algorithm 2: ``top_k`` of a rung
    with k = floor(n / eta), here asked once, when a run arrives.
    """

    options: ClassVar[Mapping[str, str]] = {
        "min_iter": "the first rung; the others follow by factors of eta (`grace`, else 1)",
        "max_iter": "the full length of a run: it has no rung there, nor above",
        "eta": "of the runs at a rung the best 1/eta go on (3)",
        "strict": "compare the value at the rung (true), or the best value up to it (false)",
        **RESOURCE,
        **COMMON,
    }

    name = "asha"

    def __init__(self, metric: Metric, ladder: Ladder, *, eta: float, strict: bool, min_peers: int) -> None:
        super().__init__(metric, ladder, strict=strict, min_peers=min_peers)
        self._eta = eta

    @classmethod
    def from_options(cls, given: Mapping[str, Any], metric: Metric) -> Asha:
        """From the keys of a sweep file without ``type``. Raises ValueError with a sentence."""
        options = Options("asha", given, cls.options)
        eta, strict = options.eta(), options.flag("strict", default=True)
        rungs = by_factor(options.whole("min_iter", least=1, default=max(options.grace(), 1)), eta)
        if "max_iter" in options:
            rungs = _below(rungs, options.whole("max_iter", least=1))
        ladder = options.ladder(rungs, metric.name)
        peers = options.min_peers(default=math.ceil(eta))
        return cls(metric, ladder, eta=eta, strict=strict, min_peers=peers)

    def last(self, runs: int) -> int:
        """One before the whole part of runs / eta, and one run at least."""
        return max(1, int(runs / self._eta)) - 1

    def part(self) -> str:
        """``third``."""
        return part(self._eta)


def _below(rungs: list[int], max_iter: int) -> list[int]:
    below = [rung for rung in rungs if rung < max_iter]
    if not below:
        raise ValueError(
            f"`max_iter` {max_iter} leaves no rung: the first one is {rungs[0]}, and a run that is done is not judged"
        )
    return below
