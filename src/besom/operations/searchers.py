"""Living sweeps: config, searcher and stoppers, kept as long as handy and rebuilt from the store at will.

They belong to the thread that writes.

The methods that exist (grid, random) look at no results, so nothing is told to a searcher: what it is asked for
depends on the draw's number alone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from besom.engine.records import Sweep
from besom.search import Searcher, make_searcher
from besom.stopping import Stopper, make_stoppers
from besom.store import sweeps
from besom.sweep_config import SweepConfig, read_sweep_config

MOST_LIVING = 64


@dataclass(frozen=True, slots=True)
class Living:
    """What must be built out of a sweep's config before it can be asked anything."""

    config: SweepConfig
    searcher: Searcher
    stoppers: Sequence[Stopper]


# By engine, since two databases may hold sweeps of the same id (a copy, a test).
_living: WeakKeyDictionary[Engine, OrderedDict[int, Living]] = WeakKeyDictionary()


def living(connection: Connection, sweep: Sweep) -> Living:
    """The sweep's config, searcher and stoppers."""
    kept = _living.setdefault(connection.engine, OrderedDict())
    if (found := kept.get(sweep.id)) is None:
        found = build(read_sweep_config(sweeps.config_of(connection, sweep.id)), sweep.seed)
        kept[sweep.id] = found
        while len(kept) > MOST_LIVING:
            kept.popitem(last=False)
    return found


def build(config: SweepConfig, seed: int) -> Living:
    """Searcher and stoppers of a config."""
    searcher = make_searcher(
        config.method, config.space, seed=seed, order=config.order, allow_repeats=config.allow_repeats
    )
    return Living(config, searcher, make_stoppers(config.early_terminate, config.metric))


def forget(connection: Connection, sweep_id: int) -> None:
    """Drops a sweep that is no more: its number may be given to another."""
    _living.get(connection.engine, OrderedDict()).pop(sweep_id, None)
