"""`method: grid`: every point of the space once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from besom.search.orders import Shuffle
from besom.search.searcher import Observation, Params
from besom.space import SearchSpace


class GridSearch:
    """Point by point through the grid, in W&B's order or shuffled by the seed.

    A draw is a function of its number alone: it costs the same for any size of the grid, and no run, whatever became
    of it or of its config, makes a point come again. Raises ValueError for a space that has no grid.
    """

    options: ClassVar[frozenset[str]] = frozenset({"seed", "order"})

    def __init__(
        self, space: SearchSpace, *, seed: int = 0, order: Literal["sequential", "shuffled"] = "sequential"
    ) -> None:
        self._space = space
        self._size = space.grid_size()
        self._order: range | Shuffle = range(self._size) if order == "sequential" else Shuffle(seed, self._size)

    def tell(self, observation: Observation) -> None:
        """Nothing: results do not matter to a grid."""

    def ask(self, number: int, pending: Sequence[Params]) -> Params | None:
        """Draw ``number``; None when all points were handed out."""
        return self._space.grid_point(self._order[number]) if number < self._size else None

    def size(self) -> int:
        """The number of points."""
        return self._size
