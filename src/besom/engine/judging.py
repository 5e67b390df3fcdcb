"""Early stopping: which rungs a run reaches as its rows come in, what is kept of it there, and what the rules say."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from besom.engine.folding import Fold, to_number
from besom.metric import Metric
from besom.stopping.stopper import Peers, Seen, Stop, Stopper

# The step itself may be what rungs measure.
STEP = "_step"


class Kept(NamedTuple):
    """What a run has shown at a rung, and the step of the row that showed it."""

    step: int
    seen: Seen


# A track (`Stopper.track`) and a rung.
Place = tuple[str, int]


class Verdict(NamedTuple):
    """That a run ends early, and at which rung (None: at values that were no finite numbers)."""

    stop: Stop
    rung: int | None


class Watch:
    """Follows the rows of a run: folds its metric, and the keys by which rungs are measured, and asks the rules.

    ``kept`` is what is known of the run's rungs; ``changed`` is what of it has changed since (None: no longer there).
    ``peers(stopper, rung)`` are the other runs. While ``judging`` is False rungs are kept and nobody is judged. With
    the first ``verdict`` it is over: what a run logs until the order reaches it takes it to no other rung.
    """

    def __init__(
        self,
        metric: Metric,
        stoppers: Sequence[Stopper],
        kept: Mapping[Place, Kept],
        peers: Callable[[Stopper, int], Peers],
    ) -> None:
        self._metric = metric
        self._stoppers = stoppers
        self._peers = peers
        self._mine: dict[str, dict[int, Kept]] = {}
        for (track, rung), found in kept.items():
            self._mine.setdefault(track, {})[rung] = found
        resources = (stopper.ladder.resource for stopper in stoppers)
        self.names = frozenset([metric.name, *(name for name in resources if name is not None and name != STEP)])
        self.changed: dict[Place, Kept | None] = {}
        self.judging = True
        self.verdict: Verdict | None = None

    def take(self, folds: Mapping[str, Fold], step: int, record: Mapping[str, Any]) -> None:
        """Puts the values of a record into their folds and looks at the row that it belongs to.

        ``record`` has values of ``names`` only; ``folds`` has those of all ``names`` that the run has logged.
        """
        name = self._metric.name
        fold = folds.get(name)
        is_again = fold is not None and fold.last_step is not None and step <= fold.last_step
        for key, value in record.items():
            folds[key].take(step, value)
        if fold is None or self.verdict is not None or not (name in record or fold.last_step == step):
            return
        left = self._let_go(step) if is_again else frozenset()
        number = _at(folds, name, step, record)
        if number is not None and math.isfinite(number):
            self._look(folds, step, record, number, left)
        elif name in record and self.judging and (streak := fold.nan_streak()):
            for stopper in self._stoppers:
                self._hear(stopper.judge_streak(streak, fold.count(), self._peers(stopper, 0)), None)

    def _look(
        self, folds: Mapping[str, Fold], step: int, record: Mapping[str, Any], value: float, left: frozenset[Place]
    ) -> None:
        """A finite value: keeps it at the rungs that its row reaches, and asks the rules about those that are new."""
        fold = folds[self._metric.name]
        length = fold.count()
        seen: Seen | None = None
        for stopper in self._stoppers:
            rung = _rung(stopper, folds, step, record, length)
            if rung is None:
                continue
            mine = self._mine.get(stopper.track or "", {})
            if stopper.track is not None and rung in mine and mine[rung].step != step:
                continue
            if seen is None:
                best = fold.best(self._metric.goal)
                seen = Seen(length, value, value if best is None else best, fold.mean())
            shown = self._keep(stopper, rung, seen, step)
            if self.judging and (stopper.track or "", rung) not in left:
                self._hear(stopper.judge(rung, seen, shown, self._peers(stopper, rung)), rung)

    def _keep(self, stopper: Stopper, rung: int, seen: Seen, step: int) -> Mapping[int, Seen]:
        """What the rule wants to be kept of the run, which it is from now on."""
        if stopper.track is None:
            return {}
        mine = self._mine.setdefault(stopper.track, {})
        before = {at: kept.seen for at, kept in mine.items()}
        after = stopper.keeps(rung, seen, before)
        for at in before.keys() - after.keys():
            del mine[at]
            self.changed[stopper.track, at] = None
        for at, wanted in after.items():
            if before.get(at) is not wanted:
                mine[at] = self.changed[stopper.track, at] = Kept(step, wanted)
        return after

    def _let_go(self, step: int) -> frozenset[Place]:
        """A row is logged again, or behind others: the rungs that it had reached are looked at anew, and not judged."""
        left = [(track, rung) for track, mine in self._mine.items() for rung, kept in mine.items() if kept.step == step]
        for track, rung in left:
            del self._mine[track][rung]
            self.changed[track, rung] = None
        return frozenset(left)

    def _hear(self, stop: Stop | None, rung: int | None) -> None:
        if stop is not None and self.verdict is None:
            self.verdict = Verdict(stop, rung)


def _rung(stopper: Stopper, folds: Mapping[str, Fold], step: int, record: Mapping[str, Any], length: int) -> int | None:
    """The rung that a row with a finite value of the metric has come to."""
    ladder = stopper.ladder
    if ladder.resource is None:
        # A count passes every number, so it is at a rung or not.
        return length if ladder.at(length) == length else None
    position = step if ladder.resource == STEP else _at(folds, ladder.resource, step, record)
    return None if position is None or not math.isfinite(position) else ladder.at(position)


def _at(folds: Mapping[str, Fold], name: str, step: int, record: Mapping[str, Any]) -> float | None:
    """The number that a row has of a key: of this record, or of one before it with the same step."""
    if name in record:
        return to_number(record[name])
    fold = folds.get(name)
    return fold.open_number() if fold is not None and fold.last_step == step else None
