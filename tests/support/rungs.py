"""Runs at a rung, for tests of stopping rules."""

from __future__ import annotations

from collections.abc import Iterable

from besom.metric import Metric
from besom.stopping import HowMany, Peers, PeerValues, Seen, Stop, Stopper


def seen(value: float, best: float | None = None, mean: float | None = None, *, length: int = 1) -> Seen:
    """What a run shows; best and mean are the value where they are not given."""
    return Seen(length, value, value if best is None else best, value if mean is None else mean)


def peers_of(stopper: Stopper, metric: Metric, others: Iterable[Seen]) -> Peers:
    """Other runs as the rule sees them."""
    if stopper.compares is None:
        return HowMany(len(list(others)))
    return PeerValues(metric, [getattr(each, stopper.compares) for each in others])


def judged(stopper: Stopper, metric: Metric, rung: int, mine: Seen, others: Iterable[Seen]) -> Stop | None:
    """The verdict on a run that comes to a rung where others were, and has been nowhere before."""
    return stopper.judge(rung, mine, stopper.keeps(rung, mine, {}), peers_of(stopper, metric, others))
