"""`early_terminate: {type: threshold}`: ends runs that log a value beyond a fixed bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from besom.metric import Metric
from besom.stopping.ladder import each_value
from besom.stopping.options import COMMON, Options
from besom.stopping.rule import Rule
from besom.stopping.sentences import unlike
from besom.stopping.stopper import Peers, Seen, Stop


class Threshold(Rule):
    """Looks at every finite value from number `grace` on, and at no other run.

    A value above `upper` or below `lower` ends the run, whichever way is better; a value on a bound is within it.
    """

    options: ClassVar[Mapping[str, str]] = {
        "upper": "a value above this ends the run",
        "lower": "a value below this ends the run",
        **COMMON,
    }

    def __init__(
        self, metric: Metric, *, upper: float | None, lower: float | None, grace: int = 0, min_peers: int = 1
    ) -> None:
        super().__init__(metric, each_value(grace), min_peers)
        self._upper = upper
        self._lower = lower

    @classmethod
    def from_options(cls, given: Mapping[str, Any], metric: Metric) -> Threshold:
        """From the keys of a sweep file without ``type``. Raises ValueError with a sentence."""
        options = Options("threshold", given, cls.options)
        upper, lower = (options.number(name) if name in options else None for name in ("upper", "lower"))
        if upper is None and lower is None:
            raise ValueError("threshold needs a bound, such as `upper: 10`, or `lower`")
        if upper is not None and lower is not None and lower > upper:
            raise ValueError(f"`lower` {lower:g} is above `upper` {upper:g}, so every value would end its run")
        return cls(metric, upper=upper, lower=lower, grace=options.grace(), min_peers=options.min_peers(default=1))

    def judge(self, rung: int, seen: Seen, mine: Mapping[int, Seen], peers: Peers) -> Stop | None:
        """Stop for a value beyond a bound."""
        if self._upper is not None and seen.value > self._upper:
            side, bound = "above", self._upper
        elif self._lower is not None and seen.value < self._lower:
            side, bound = "below", self._lower
        else:
            return None
        if self._too_few(peers):
            return None
        shown, limit = unlike(seen.value, bound)
        name = "upper" if side == "above" else "lower"
        return Stop(f"{self.ladder.place(rung)}: {shown} is {side} {limit}, the {name} bound")

    def explain(self) -> str:
        """Where it looks, and the bounds."""
        bounds = [("above", self._upper), ("below", self._lower)]
        beyond = " or ".join(f"{side} {bound:g}" for side, bound in bounds if bound is not None)
        where = self.ladder.explain(self._metric.name).removeprefix("at each ")
        return f"threshold: a {where} ends the run if it is {beyond}{self._once()}"
