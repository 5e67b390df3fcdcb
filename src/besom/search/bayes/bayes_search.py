"""`method: bayes`: the next run is the one that promises most, by a Gaussian process of what all runs showed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from besom.search.bayes.history import Imputing, PlacedRun, bounded, make_history
from besom.search.bayes.local_search import Untried
from besom.search.bayes.mixture import Mixture
from besom.search.bayes.suggestion import Chooser
from besom.search.orders import Shuffle
from besom.search.searcher import Observation, Params, Suggestion
from besom.space import SearchSpace
from besom.space.encoding import Encoding

Array = NDArray[np.float64]


class BayesSearch:
    """Suggestion ``number`` is a function of seed, number, the told runs and the points under way, of nothing else.

    First come some even points, then those with the largest expected improvement; a part of them is the Parzen
    estimator's, see `Mixture`. On a finite space no point comes twice unless ``allow_repeats``.

    ``impute`` and ``impute_while_running`` are the metric's: what stands for the score of a run that failed, or that
    is under way. None: nothing does, and failures are learned by a model of their own.
    """

    options: ClassVar[frozenset[str]] = frozenset({"seed", "allow_repeats", "impute", "impute_while_running"})
    looks_at_results: ClassVar[bool] = True

    def __init__(
        self,
        space: SearchSpace,
        *,
        seed: int = 0,
        allow_repeats: bool = False,
        impute: Literal["worst", "best", "latest"] | None = None,
        impute_while_running: Literal["worst", "best", "latest"] | None = None,
        mixture: Mixture | None = None,
    ) -> None:
        self._space = space
        self._seed = seed
        self._size = space.finite_size()
        self._allow_repeats = allow_repeats and self._size is not None
        self._imputing = Imputing(impute, impute_while_running)
        self._encoding = Encoding(space)
        self._chooser = Chooser(self._encoding, seed, mixture or Mixture())
        self._runs: dict[int, PlacedRun] = {}

    def tell(self, observation: Observation) -> None:
        """Takes in what a run showed, in place of what was told of its number before."""
        x, key = self._encoding.encode(observation.params), self._encoding.key_of(observation.params)
        self._runs[observation.number] = PlacedRun(bounded(observation), x, key)

    def ask(self, number: int, pending: Sequence[Params]) -> Params | None:
        """The params of draw ``number``; None when all points of a finite space were tried."""
        suggestion = self.suggest(number, pending)
        return None if suggestion is None else suggestion.params

    def suggest(
        self, number: int, pending: Sequence[Params], out_of_time: Callable[[], bool] = lambda: False
    ) -> Suggestion | None:
        """The params of draw ``number`` with their reasons; None when all points of a finite space were tried."""
        runs = [self._runs[each] for each in sorted(self._runs)]
        tried = {run.key for run in runs} | {self._encoding.key_of(params) for params in pending}
        tried.discard(None)
        if not self._allow_repeats and len(tried) == self._size:
            return None

        def untried(points: Array) -> NDArray[np.bool_]:
            fresh = [self._allow_repeats or key not in tried for key in self._encoding.keys(points)]
            return np.array(fresh, dtype=np.bool_)

        history = make_history(runs, self._unheard(runs, pending), self._imputing, self._encoding.dimension)
        x, info = self._chooser.choose(number, history, untried, out_of_time)
        if x is None:
            x, info = self._next_untried(untried), replace(info, source="random")
        info = replace(info, seen=history.seen, warnings=(*history.warnings, *info.warnings))
        return Suggestion(self._encoding.decode(x), info)

    def size(self) -> int | None:
        """The number of points; None without end."""
        return None if self._allow_repeats else self._size

    def _unheard(self, runs: Sequence[PlacedRun], pending: Sequence[Params]) -> list[Array]:
        """The points under way that no run was told of, each once, in an order that does not depend on theirs."""
        told = {run.x.tobytes() for run in runs if run.x is not None and not run.has_ended}
        given = {x.tobytes(): x for params in pending if (x := self._encoding.encode(params)) is not None}
        return [given[each] for each in sorted(given.keys() - told)]

    def _next_untried(self, untried: Untried) -> Array:
        """The first untried point of a finite space in the order of a shuffle."""
        assert self._size is not None, "random draws from a space without end do not repeat each other"
        shuffle = Shuffle(self._seed, self._size)
        points = (self._encoding.encode(self._space.finite_point(shuffle[at])) for at in range(self._size))
        return next(x for x in points if x is not None and untried(x[np.newaxis])[0])
