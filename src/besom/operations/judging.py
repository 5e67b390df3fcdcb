"""Early stopping while a run logs: who watches over its rows, and with whom it is compared. Recording asks here."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from besom.engine.folding import Fold
from besom.engine.judging import Watch
from besom.engine.records import Run, Sweep
from besom.operations import searchers
from besom.stopping import HowMany, Peers, Stopper
from besom.store import observations, summaries


def watch_over(c: Connection, run: Run, sweep: Sweep | None) -> Watch | None:
    """None where nobody judges: a run that was told to end comes to no other rung, whatever it logs until then."""
    if sweep is None or sweep.metric is None or run.stop_wanted is not None:
        return None
    stoppers = searchers.living(c, sweep).stoppers
    if not stoppers:
        return None
    goal, others = sweep.metric.goal, sum(sweep.counts.values()) - 1

    def peers(stopper: Stopper, rung: int) -> Peers:
        if stopper.track is None or stopper.compares is None:
            return HowMany(others)
        return observations.AtRung(c, sweep.id, stopper.track, rung, stopper.compares, goal)

    return Watch(sweep.metric, stoppers, observations.of_run(c, run.id), peers)


def other_folds(c: Connection, run: Run, watch: Watch | None, names: Sequence[str]) -> dict[str, Fold]:
    """Of the keys that are watched, those that a row may have in a record of its own, of which none is here."""
    if watch is None or watch.names.isdisjoint(names):
        return {}
    found = {name: summaries.find(c, run.id, name) for name in watch.names.difference(names)}
    return {name: fold for name, fold in found.items() if fold is not None}
