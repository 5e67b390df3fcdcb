"""`method: random`: independent draws, and on a finite space none of them twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from besom.search.distinct_draws import DistinctDraws
from besom.search.orders import Shuffle, generator, weighted_order
from besom.search.searcher import Observation, Params
from besom.space import SearchSpace

# Up to here the whole order of a weighted space is made at once: some hundredths of a second and 400 kB.
MOST_SORTED = 100_000


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
      before it, so they are kept as indices, 100 bytes each, and made again after a restart. What draws hardly reach
      is taken from a shuffle at last.
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
            return DistinctDraws(self._attempts, Shuffle(self._seed, size)).index
        sizes = [len(values) for values in self._space.finite_values() or ()]
        order = weighted_order(self._seed, weights, sizes)
        return lambda number: int(order[number])

    def _attempts(self, number: int) -> Iterator[int]:
        rng = generator(self._seed, number)
        while True:
            yield self._space.sample_index(rng)
