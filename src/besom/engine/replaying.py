"""What rules of early stopping would have done to runs that are over: the code that judges living runs, fed with rows.

A run that is stopped shows nothing more, so that later runs are compared with fewer. Rows of all runs are taken in the
order of their recorded times.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from besom.engine.folding import Fold
from besom.engine.judging import Place, Watch
from besom.metric import Metric
from besom.stopping import HowMany, Peers, PeerValues, Stopper


class Row(NamedTuple):
    """A merged row: its time in seconds since 1970, its step, and its values by key."""

    time: float
    step: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class History:
    """A run's rows in order of step, and when it began and ended (None: with its first and its last row).

    ``counts`` says whether it is ranked: a run that failed can be stopped, and cannot be the best.
    """

    run: str
    rows: Sequence[Row]
    started: float | None = None
    ended: float | None = None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run: of ``logged`` rows with the metric it had ``kept`` when a rule stopped it, and so on.

    Times are in seconds. Of a run that was not stopped all is kept, and ``reason``, ``rung`` and ``step`` are None. So
    is ``rung`` where values that were no finite numbers ended it, and a score where there was no finite value.
    """

    run: str
    logged: int
    trained_s: float
    score: float | None
    kept: int
    kept_s: float
    kept_score: float | None
    reason: str | None = None
    rung: int | None = None
    step: int | None = None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Sum:
    """What the outcomes of a sweep's runs add up to: rows with the metric, seconds, and the best runs.

    ``best`` is the best run as it was, ``best_kept`` the best of what the rules would have left.
    """

    logged: int
    kept: int
    trained_s: float
    kept_s: float
    best: Outcome | None
    best_kept: Outcome | None


def sum_of(outcomes: Sequence[Outcome], metric: Metric) -> Sum:
    """Adds outcomes up. Of equal scores the first counts."""
    ranked = [each for each in outcomes if each.counts]
    whole = [(metric.as_loss(each.score), each) for each in ranked if each.score is not None]
    left = [(metric.as_loss(each.kept_score), each) for each in ranked if each.kept_score is not None]
    return Sum(
        sum(each.logged for each in outcomes),
        sum(each.kept for each in outcomes),
        sum(each.trained_s for each in outcomes),
        sum(each.kept_s for each in outcomes),
        min(whole, key=lambda each: each[0])[1] if whole else None,
        min(left, key=lambda each: each[0])[1] if left else None,
    )


def replay(stoppers: Sequence[Stopper], metric: Metric, histories: Sequence[History]) -> list[Outcome]:
    """The outcome of each run, in the order in which they were given."""
    board = _Board(metric)
    runs = [_Run(history, metric, stoppers, board) for history in histories]
    rows = [(row.time, at, row.step, row) for at, history in enumerate(histories) for row in history.rows]
    for _, at, _, row in sorted(rows, key=lambda each: each[:3]):
        runs[at].take(row)
    return [run.outcome() for run in runs]


@dataclass(slots=True)
class _Board:
    """What all runs have shown at rungs until now, and how many have begun."""

    metric: Metric
    begun: int = 0
    _shown: dict[tuple[str, int, str], PeerValues] = field(default_factory=dict)

    def peers(self, stopper: Stopper, rung: int) -> Peers:
        """The runs besides the one that is judged, which has not been added yet."""
        if stopper.track is None or stopper.compares is None:
            return HowMany(self.begun - 1)
        return self._at((stopper.track, rung), stopper.compares)

    def _at(self, place: Place, compared: str) -> PeerValues:
        return self._shown.setdefault((*place, compared), PeerValues(self.metric))

    def add(self, watch: Watch) -> None:
        """Takes over what a run has newly shown."""
        for place, kept in watch.changed.items():
            if kept is not None:
                for compared in ("value", "best", "mean"):
                    self._at(place, compared).add(getattr(kept.seen, compared))
        watch.changed.clear()


class _Run:
    """A run on its way through its rows."""

    def __init__(self, history: History, metric: Metric, stoppers: Sequence[Stopper], board: _Board) -> None:
        self._history = history
        self._metric = metric
        self._board = board
        self._watch = Watch(metric, stoppers, {}, board.peers)
        self._folds: dict[str, Fold] = {}
        self._logged = self._kept = 0
        self._last: Row | None = None

    def take(self, row: Row) -> None:
        """The next row; of a run that was stopped it is only counted."""
        self._logged += self._metric.name in row.values
        if self._watch.verdict is not None:
            return
        if self._last is None:
            self._board.begun += 1
        self._last, self._kept = row, self._logged
        watched = {name: row.values[name] for name in self._watch.names if name in row.values}
        for name in watched.keys() - self._folds.keys():
            self._folds[name] = Fold()
        self._watch.take(self._folds, row.step, watched)
        self._board.add(self._watch)

    def outcome(self) -> Outcome:
        """What became of it."""
        rows = self._history.rows
        score = self._metric.score(_numbers(rows, self._metric.name))
        began, ended = self._history.started, self._history.ended
        times = [row.time for row in rows]
        began = min(times, default=0.0) if began is None else began
        ended = max(times, default=began) if ended is None else ended
        trained_s = max(0.0, ended - began)
        verdict, last = self._watch.verdict, self._last
        whole = Outcome(
            self._history.run, self._logged, trained_s, score, self._logged, trained_s, score,
            counts=self._history.counts,
        )  # fmt: skip
        if verdict is None or last is None:
            return whole
        return replace(
            whole,
            kept=self._kept,
            kept_s=min(trained_s, max(0.0, last.time - began)),
            kept_score=self._folds[self._metric.name].score(self._metric),
            reason=verdict.stop.reason,
            rung=verdict.rung,
            step=last.step,
        )


def _numbers(rows: Sequence[Row], name: str) -> Iterator[float]:
    """The numbers of a key in order of step."""
    fold = Fold()
    for row in rows:
        if name in row.values:
            fold.take(row.step, row.values[name])
            if (number := fold.open_number()) is not None:
                yield number
