"""`method: tpe`: evenly spread points first, then those that look most like the good runs and least like the others."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from besom.search.first_points import first_count, first_points
from besom.search.orders import generator
from besom.search.parzen import suggest_by_parzen
from besom.search.searcher import Observation, Params, SearchInfo, Suggestion
from besom.space import SearchSpace
from besom.space.encoding import Encoding

Array = NDArray[np.float64]

PENDING = frozenset({"running", "queued", "preempted"})
# Where a run ended so, its value counts.
VALUED = frozenset({"finished", "stopped", "killed"})


@dataclass(frozen=True, slots=True)
class _Run:
    """A run as the estimator sees it; ``x`` is None if it lacks a swept parameter, ``key`` if it is no such point."""

    x: Array | None
    key: bytes | None
    loss: float = math.inf
    is_pending: bool = True


class TpeSearch:
    """The multivariate tree-structured Parzen estimator of `suggest_by_parzen`, after max(5, min(D + 2, 10)) runs.

    A run that failed, or never had a finite value, is worse than all others, as in SMAC (Lindauer et al., JMLR 23,
    2022: ``crash_cost``): only the order of losses matters, so that no value is made up. A run that was stopped early
    counts with what it reached, one under way as a bad one. On a finite space no point comes twice, unless
    ``allow_repeats``. A suggestion takes time in proportion to the number of runs.
    """

    options: ClassVar[frozenset[str]] = frozenset({"seed", "allow_repeats"})

    def __init__(self, space: SearchSpace, *, seed: int = 0, allow_repeats: bool = False) -> None:
        self._encoding = Encoding(space)
        self._seed = seed
        self._allow_repeats = allow_repeats
        self._size = None if allow_repeats else space.finite_size()
        self._first = first_points(self._encoding, seed)
        self._runs: dict[int, _Run] = {}

    def tell(self, observation: Observation) -> None:
        """Takes in what a run showed."""
        loss = observation.loss
        valued = observation.state in VALUED and loss is not None and math.isfinite(loss)
        self._runs[observation.number] = _Run(
            self._encoding.encode(observation.params),
            self._encoding.key_of(observation.params),
            loss if valued and loss is not None else math.inf,
            observation.state in PENDING,
        )

    def ask(self, number: int, pending: Sequence[Params]) -> Params | None:
        """The params of draw ``number``; None when all points of a finite space were tried."""
        suggestion = self.suggest(number, pending)
        return None if suggestion is None else suggestion.params

    def suggest(
        self, number: int, pending: Sequence[Params], out_of_time: Callable[[], bool] = lambda: False
    ) -> Suggestion | None:
        """The params of draw ``number`` with their reasons; None when all points of a finite space were tried.

        It takes milliseconds, so that ``out_of_time`` is never asked.
        """
        numbers = sorted(self._runs)
        told = [self._runs[each] for each in numbers]
        given = [_Run(self._encoding.encode(each), self._encoding.key_of(each)) for each in pending]
        found = self._next(number, [run for run in told if not run.is_pending], _distinct([*told, *given]))
        if found is None:
            return None
        x, source = found
        seen = tuple(each for each, run in zip(numbers, told, strict=True) if run.x is not None)
        return Suggestion(self._encoding.decode(x), SearchInfo(source, seen=seen, warnings=_left_out(told)))

    def size(self) -> int | None:
        """The number of points; None without end."""
        return self._size

    def _next(self, number: int, ended: Sequence[_Run], pending: Sequence[_Run]) -> tuple[Array, str] | None:
        """The point (D,) and what it was made by."""
        tried = {run.key for run in (*ended, *pending)}
        x = self._stack(ended)
        x_pending = self._stack(pending)
        if len(x) + len(x_pending) < first_count(self._encoding.dimension):
            for point, key in zip(self._first, self._encoding.keys(self._first), strict=True):
                if key not in tried:
                    return point, "initial"

        def untried(points: Array) -> NDArray[np.bool_]:
            return np.array([self._allow_repeats or key not in tried for key in self._encoding.keys(points)], np.bool_)

        y = np.array([run.loss for run in ended if run.x is not None])
        best = suggest_by_parzen(self._encoding, x, y, x_pending, generator(self._seed, number), untried)
        return None if best is None else (best, "parzen")

    def _stack(self, runs: Iterable[_Run]) -> Array:
        """The coordinates (n, D) of those that have some."""
        found = [run.x for run in runs if run.x is not None]
        return np.array(found).reshape(len(found), self._encoding.dimension)


def _distinct(runs: Iterable[_Run]) -> list[_Run]:
    """The pending ones, each point once, in an order that does not depend on theirs."""
    points = {run.x.tobytes(): run for run in runs if run.is_pending and run.x is not None}
    return [points[each] for each in sorted(points)]


def _left_out(told: Iterable[_Run]) -> tuple[str, ...]:
    count = sum(run.x is None for run in told)
    return (f"left out, as they lack a value of a parameter: {count} of the runs",) if count else ()
