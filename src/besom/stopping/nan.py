"""`early_terminate: {type: nan}`: ends runs that have diverged. Besides, every rule takes it as its key `nan`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from besom.metric import Metric
from besom.stopping.ladder import each_value
from besom.stopping.options import COMMON, Options
from besom.stopping.rule import Rule
from besom.stopping.stopper import Peers, Stop

_PATIENCE = 5


class Nan(Rule):
    """Ends a run whose last ``patience`` values were NaN or infinite, after a finite one.

    A run that has had no finite value yet goes on: some scripts log NaN until there is something to measure.
    """

    options: ClassVar[Mapping[str, str]] = {
        "patience": "a run ends when so many values in a row were NaN or infinite (5)",
        **{name: text for name, text in COMMON.items() if name != "nan"},
    }

    def __init__(self, metric: Metric, *, patience: int = _PATIENCE, grace: int = 0, min_peers: int = 1) -> None:
        super().__init__(metric, each_value(1), min_peers)
        self._patience = patience
        self._grace = max(grace, 1)

    @classmethod
    def from_options(cls, given: Mapping[str, Any], metric: Metric) -> Nan:
        """From the keys of a sweep file without ``type``. Raises ValueError with a sentence."""
        options = Options("nan", given, cls.options)
        patience, peers = options.whole("patience", least=1, default=_PATIENCE), options.min_peers(default=1)
        return cls(metric, patience=patience, grace=options.grace(), min_peers=peers)

    @classmethod
    def from_key(cls, given: Any, metric: Metric) -> Nan:
        """From the key `nan` of another rule. Raises ValueError with a sentence."""
        if not isinstance(given, Mapping) or not given.keys() <= {"patience"}:
            raise ValueError(f"`nan` must be a mapping such as `nan: {{patience: {_PATIENCE}}}`, not {given!r}")
        return cls.from_options(given, metric)

    def judge_streak(self, streak: int, count: int, peers: Peers) -> Stop | None:
        """Stop at the end of the patience."""
        if streak < self._patience or count < self._grace or self._too_few(peers):
            return None
        name = self._metric.name
        last = f"the last {self._patience} values of {name} were" if self._patience > 1 else f"{name} was"
        return Stop(f"{last} NaN or infinite, after {count} finite {'value' if count == 1 else 'values'}")

    def explain(self) -> str:
        """How many are too many."""
        name, patience = self._metric.name, self._patience
        values = f"{patience} values of {name} in a row that are" if patience > 1 else f"a value of {name} that is"
        end = "end" if patience > 1 else "ends"
        return f"nan: {values} NaN or infinite, after a finite one, {end} the run{self._once()}"
