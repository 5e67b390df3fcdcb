"""`method: sobol`: draws that are evenly spread, and on a finite space none of them twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import ClassVar

from besom.search.distinct_draws import DistinctDraws
from besom.search.orders import Shuffle
from besom.search.searcher import Observation, Params
from besom.search.sobol_points import SobolPoints
from besom.space import SearchSpace

# Points that are made at once where one may be passed over.
BLOCK = 64


class SobolSearch:
    """Draw ``number`` is the point of the space at the quantiles that a scrambled Sobol point gives.

    Each parameter's law is kept, and any 2^m draws that begin at a multiple of 2^m fill it evenly. With an infinite
    parameter, or with ``allow_repeats``, draw k is Sobol point k. On a finite space points that repeat earlier draws
    are passed over, so that draw k needs the k before it: they are kept as indices, and made again after a restart.
    What the sequence hardly reaches is drawn at last, shuffled.
    """

    options: ClassVar[frozenset[str]] = frozenset({"seed", "allow_repeats"})

    def __init__(self, space: SearchSpace, *, seed: int = 0, allow_repeats: bool = False) -> None:
        self._space = space
        self._size = None if allow_repeats else space.finite_size()
        swept = sum(not each.is_constant for each in space.parameters)
        self._points = SobolPoints(swept, seed)
        self._draws = None
        if self._size is not None:
            walk = self._walk()
            self._draws = DistinctDraws(lambda _: walk, Shuffle(seed, self._size))

    def tell(self, observation: Observation) -> None:
        """Nothing: results do not matter to draws that are spread beforehand."""

    def ask(self, number: int, pending: Sequence[Params]) -> Params | None:
        """Draw ``number``; None when all points of a finite space were drawn."""
        if self._size is None or self._draws is None:
            return self._space.at(next(self._quantiles(number, 1)))
        return self._space.finite_point(self._draws.index(number)) if number < self._size else None

    def size(self) -> int | None:
        """The number of points; None without end."""
        return self._size

    def _walk(self) -> Iterator[int]:
        """The finite points in the order of the sequence."""
        for start in count(0, BLOCK):
            yield from map(self._space.index_at, self._quantiles(start, BLOCK))

    def _quantiles(self, start: int, number: int) -> Iterator[list[float]]:
        """For each point one quantile for each parameter; a constant takes no coordinate of the sequence."""
        for point in self._points.points(start, number).tolist():
            coordinates = iter(point)
            yield [0.5 if each.is_constant else next(coordinates) for each in self._space.parameters]
