"""How a suggestion comes about: even points first, then the model's, and something valid whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import NDArray

from besom.search.bayes.best_point import best_point, farthest
from besom.search.bayes.budget import budget
from besom.search.bayes.history import History
from besom.search.bayes.local_search import Untried
from besom.search.bayes.mixture import Mixture
from besom.search.bayes.model import Fits, Model
from besom.search.first_points import first_count, first_points
from besom.search.orders import generator
from besom.search.parzen import suggest_by_parzen
from besom.search.searcher import SearchInfo
from besom.search.sobol_points import SobolPoints
from besom.space.encoding import Encoding

Array = NDArray[np.float64]

FAR_CANDIDATES = 64  # even points of which one is chosen while all runs have failed
RANDOM_DRAWS = 1024  # of which one must be untried

# The first runs have the beginning of the Sobol sequence; after it each draw has a block.
FIRST_BLOCK, BLOCK = 4096, 512

# The random streams of a seed, each with the number of the draw.
_MOVES, _MIXTURE, _PARZEN, _RANDOM = 0xBA4, 0xBA5, 0xBA6, 0xBA7


class Chooser:
    """Chooses points of an encoded space; what it keeps is a function of space and seed, or a cache of such."""

    def __init__(self, encoding: Encoding, seed: int, mixture: Mixture) -> None:
        self._encoding = encoding
        self._seed = seed
        self._mixture = mixture
        self._sobol = SobolPoints(encoding.dimension, seed)
        self._first = first_points(encoding, seed)
        self._fits = Fits(encoding.is_category, seed)

    def choose(
        self, number: int, history: History, untried: Untried, out_of_time: Callable[[], bool]
    ) -> tuple[Array | None, SearchInfo]:
        """The untried point (D,) of draw ``number`` and how it came about; None if a thousand draws found none."""
        if history.size < first_count(self._encoding.dimension):
            first = self._first[untried(self._first)]
            if len(first):
                return first[0], SearchInfo("initial")
        info = SearchInfo("random")
        if len(history.x):
            try:
                x, info = self._by_model(number, history, untried, out_of_time)
            except LinAlgError as problem:
                x, info = None, SearchInfo("random", warnings=(f"a random point, as there is no model: {problem}",))
        else:
            x = self._far_from_failures(number, history, untried)
        if x is not None:
            return x, info
        points = self._encoding.sample(generator(self._seed, _RANDOM, number), RANDOM_DRAWS)
        points = points[untried(points)]
        return (points[0] if len(points) else None), SearchInfo("random", warnings=info.warnings)

    def _far_from_failures(self, number: int, history: History, untried: Untried) -> Array | None:
        """While no run has given a value: an even point far from all that were tried."""
        even = self._even(number, FAR_CANDIDATES)
        even = even[untried(even)]
        taken = np.concatenate([history.failed, history.pending])
        return farthest(even, taken, self._encoding.is_category) if len(even) and len(taken) else None

    def _by_model(
        self, number: int, history: History, untried: Untried, out_of_time: Callable[[], bool]
    ) -> tuple[Array | None, SearchInfo]:
        encoding = self._encoding
        spent = budget(history.size, encoding.dimension)
        model = Model(history, encoding.is_category, spent, self._fits, self._seed)
        source, warnings = "model", ()
        if generator(self._seed, _MIXTURE, number).random() < self._mixture.share(len(history.x), model.rank_agreement):
            source, point = "parzen", self._by_parzen(number, history, untried)
        else:
            even = self._even(number, spent.even)
            rng = generator(self._seed, _MOVES, number)
            best = best_point(model, encoding, even, untried, spent, rng, out_of_time)
            point = best.point
            warnings = () if best.in_time else ("time ran out before all candidates were looked at",)
        if point is None:
            return None, SearchInfo("random", warnings=warnings)
        return point, SearchInfo(source, **asdict(model.outlook(point)), best=model.best(), warnings=warnings)

    def _by_parzen(self, number: int, history: History, untried: Untried) -> Array | None:
        x = np.concatenate([history.x, history.failed])
        y = np.concatenate([history.losses, np.full(len(history.failed), np.inf)])
        rng = generator(self._seed, _PARZEN, number)
        return suggest_by_parzen(self._encoding, x, y, history.pending, rng, untried)

    def _even(self, number: int, count: int) -> Array:
        """The draw's own points (count, D), evenly over the whole space by the parameters' laws, snapped."""
        return self._encoding.from_unit(self._sobol.points(FIRST_BLOCK + BLOCK * number, count))
