"""Draws from a finite space of which none comes twice, where only drawing itself tells what comes next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from besom.search.orders import Shuffle

# Draws in a row that may repeat earlier ones before the next point is taken without regard to weights.
MOST_REPEATS = 1_000


class DistinctDraws:
    """Draws from a finite space with repeats passed over; what was drawn is kept, and only that.

    ``attempts(k)`` are indices of points without end, of which draw k is the first that no draw before it was. When
    `MOST_REPEATS` of them are repeats, nearly all the weight is used up, and the next point of ``rest`` is taken.
    """

    def __init__(self, attempts: Callable[[int], Iterator[int]], rest: Shuffle) -> None:
        self._attempts = attempts
        self._rest = rest
        self._passed = 0
        self._drawn: list[int] = []
        self._seen: set[int] = set()

    def index(self, number: int) -> int:
        """The point of draw ``number``."""
        while len(self._drawn) <= number:
            index = self._next()
            self._drawn.append(index)
            self._seen.add(index)
        return self._drawn[number]

    def _next(self) -> int:
        for index in islice(self._attempts(len(self._drawn)), MOST_REPEATS):
            if index not in self._seen:
                return index
        while self._rest[self._passed] in self._seen:
            self._passed += 1
        return self._rest[self._passed]
