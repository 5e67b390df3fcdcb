"""`early_terminate: {type: plateau}`: ends runs that no longer improve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from besom.metric import Metric
from besom.stopping.ladder import each_value
from besom.stopping.options import COMMON, Options
from besom.stopping.rule import Rule
from besom.stopping.sentences import better_side, short
from besom.stopping.stopper import Peers, Seen, Stop

_PATIENCE = 10


class Plateau(Rule):
    """Looks at every finite value, and at no other run.

    The first value is a record, and so is each that is better than the last record by more than ``min_delta``. A run
    whose last ``patience`` values brought no record ends, from value number `grace` on. Only the last record is kept.
    """

    options: ClassVar[Mapping[str, str]] = {
        "patience": "a run ends when so many values in a row brought no improvement (10)",
        "min_delta": "only a value that is better by more than this is an improvement (0)",
        **COMMON,
    }

    def __init__(
        self, metric: Metric, *, patience: int = _PATIENCE, min_delta: float = 0.0, grace: int = 0, min_peers: int = 1
    ) -> None:
        super().__init__(metric, each_value(1), min_peers)
        self._patience = patience
        self._min_delta = min_delta
        self._grace = grace

    @classmethod
    def from_options(cls, given: Mapping[str, Any], metric: Metric) -> Plateau:
        """From the keys of a sweep file without ``type``. Raises ValueError with a sentence."""
        options = Options("plateau", given, cls.options)
        min_delta = options.number("min_delta", 0)
        if min_delta < 0:
            raise ValueError(f"`min_delta` must be 0 or larger, not {min_delta}: it is by how much a value is better")
        patience, peers = options.whole("patience", least=1, default=_PATIENCE), options.min_peers(default=1)
        return cls(metric, patience=patience, min_delta=float(min_delta), grace=options.grace(), min_peers=peers)

    @property
    def track(self) -> str:
        """Under which name the last record is kept."""
        return f"record {self._min_delta!r}"

    def keeps(self, rung: int, seen: Seen, mine: Mapping[int, Seen]) -> Mapping[int, Seen]:
        """The last record."""
        if not mine:
            return {rung: seen}
        record = mine[max(mine)].value
        gain = self._metric.as_loss(record) - self._metric.as_loss(seen.value)
        return {rung: seen} if gain > self._min_delta else mine

    def judge(self, rung: int, seen: Seen, mine: Mapping[int, Seen], peers: Peers) -> Stop | None:
        """Stop for a run whose last record is too long ago."""
        at = max(mine)
        if rung - at < self._patience or rung < self._grace or self._too_few(peers):
            return None
        last = f"none of the last {self._patience} values is" if self._patience > 1 else "the last value is not"
        more = f"more than {self._min_delta:g} " if self._min_delta else ""
        record = f"{short(mine[at].value)}, the value at {self.ladder.place(at)}"
        return Stop(f"{self.ladder.place(rung)}: {last} {more}{better_side(self._metric)} {record}")

    def explain(self) -> str:
        """What a run must bring, and how often."""
        more = f" by more than {self._min_delta:g}" if self._min_delta else ""
        values = f"{self._patience} values of {self._metric.name}"
        since = f", from value {self._grace} on" if self._grace > 1 else ""
        return f"plateau: {values} without a better one{more} end the run{since}{self._once()}"
