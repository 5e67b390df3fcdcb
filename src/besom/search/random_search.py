"""`method: random`: independent draws, and on a finite space none of them twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from besom.search.orders import Shuffle, generator, weighted_order
from besom.search.searcher import Observation, Params
from besom.space import SearchSpace

# Up to here the whole order of a weighted space is made at once: some hundredths of a second and 400 kB.
MOST_SORTED = 100_000
# Draws in a row that may repeat earlier ones before the next point is taken without regard to weights.
MOST_REPEATS = 1_000


class RandomSearch:
    """Draw ``number`` of a seed is a function of the two alone, whatever was told or handed out, by whomever.

    With an infinite parameter, or with ``allow_repeats``, draws are independent. On a finite space the draws have
    the law of independent ones in which repeats are skipped, that is of weighted draws without putting back, and
    they end when all points were drawn. A value's weight comes from its probability, from being listed twice, or
    from the range that is rounded to it.

    How a finite space is walked without remembering what was drawn:

    * all points alike: a shuffle of the index, computed position by position, for any size;
    * weighted, up to `MOST_SORTED` points: the whole order is made once;
    * weighted and larger: independent draws with repeats skipped, as they stand in the law above. Draw k needs the k
      before it, so they are kept as indices, 100 bytes each, and made again after a restart. When `MOST_REPEATS`
      draws in a row are repeats, nearly all the weight is used up, and the next point of a shuffle is taken instead.
    """

    options: ClassVar[frozenset[str]] = frozenset({"seed", "allow_repeats"})

    def __init__(self, space: SearchSpace, *, seed: int = 0, allow_repeats: bool = False) -> None:
        self._space = space
        self._seed = seed
        self._size = None if allow_repeats else space.finite_size()
        self._order: Callable[[int], int] | None = None

    def tell(self, observation: Observation) -> None:
        """Nothing: results do not matter to random draws."""

    def ask(self, number: int, pending: Sequence[Params]) -> Params | None:
        """Draw ``number``; None when all points of a finite space were drawn."""
        if self._size is None:
            return self._space.sample(generator(self._seed, number))
        if number >= self._size:
            return None
        if self._order is None:
            self._order = self._make_order(self._size)
        return self._space.finite_point(self._order(number))

    def size(self) -> int | None:
        """The number of points; None without end."""
        return self._size

    def _make_order(self, size: int) -> Callable[[int], int]:
        weights = self._space.finite_weights()
        if all(weight is None for weight in weights):
            return Shuffle(self._seed, size).__getitem__
        if size > MOST_SORTED:
            return DistinctDraws(self._space, self._seed, size).index
        sizes = [len(values) for values in self._space.finite_values() or ()]
        order = weighted_order(self._seed, weights, sizes)
        return lambda number: int(order[number])


class DistinctDraws:
    """Independent draws from a finite space with repeats skipped; what was drawn is kept, and only that."""

    def __init__(self, space: SearchSpace, seed: int, size: int) -> None:
        self._space = space
        self._seed = seed
        self._drawn: list[int] = []
        self._seen: set[int] = set()
        self._shuffle = Shuffle(seed, size)
        self._shuffled = 0

    def index(self, number: int) -> int:
        """The point of draw ``number``."""
        while len(self._drawn) <= number:
            index = self._next()
            self._drawn.append(index)
            self._seen.add(index)
        return self._drawn[number]

    def _next(self) -> int:
        rng = generator(self._seed, len(self._drawn))
        for _ in range(MOST_REPEATS):
            index = self._space.sample_index(rng)
            if index not in self._seen:
                return index
        while self._shuffle[self._shuffled] in self._seen:
            self._shuffled += 1
        return self._shuffle[self._shuffled]
