"""Living sweeps: config, searcher and stoppers, kept as long as handy and rebuilt from the store at will.

They belong to the thread that writes.

Nothing is told to a searcher here: what it is asked for depends on the draw's number alone. Methods that look at
results are asked elsewhere, see `suggesting`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from besom.engine.records import Sweep
from besom.engine.suggesting import make_sweep_searcher
from besom.search import Searcher
from besom.stopping import Stopper, make_stoppers
from besom.store import sweeps
from besom.sweep_config import SweepConfig, read_sweep_config

MOST_LIVING = 64
# Of long lists of values in all of them together: each costs memory.
MOST_LISTED_VALUES = 2_000_000


@dataclass(frozen=True)
class Living:
    """What must be built out of a sweep's config before it can be asked anything."""

    config: SweepConfig
    seed: int
    stoppers: Sequence[Stopper]

    @cached_property
    def searcher(self) -> Searcher:
        """Made when it is first asked: a hand-out of what was chosen ahead needs none, and models load SciPy."""
        return make_sweep_searcher(self.config, self.seed)

    @cached_property
    def listed_values(self) -> int:
        """How many values its parameters list."""
        return sum(len(getattr(each.distribution, "values", ())) for each in self.config.space.parameters)


# By engine, since two databases may hold the same sweep (a copy, a test), and by the sweep's uid.
_living: WeakKeyDictionary[Engine, OrderedDict[str, Living]] = WeakKeyDictionary()


def living(connection: Connection, sweep: Sweep) -> Living:
    """The sweep's config, searcher and stoppers."""
    found = _living.get(connection.engine, OrderedDict()).get(sweep.uid)
    if found is None:
        found = build(read_sweep_config(sweeps.config_of(connection, sweep.id)), sweep.seed)
        keep(connection, sweep.uid, found)
    return found


def keep(connection: Connection, sweep_uid: str, made: Living) -> None:
    """Keeps a living sweep for later, for which others that are older may go."""
    kept = _living.setdefault(connection.engine, OrderedDict())
    kept[sweep_uid] = made
    while len(kept) > 1 and (
        len(kept) > MOST_LIVING or sum(each.listed_values for each in kept.values()) > MOST_LISTED_VALUES
    ):
        kept.popitem(last=False)


def build(config: SweepConfig, seed: int) -> Living:
    """Searcher and stoppers of a config."""
    return Living(config, seed, make_stoppers(config.early_terminate, config.metric))


def forget(connection: Connection, sweep_uid: str) -> None:
    """Drops a sweep that is no more."""
    _living.get(connection.engine, OrderedDict()).pop(sweep_uid, None)
