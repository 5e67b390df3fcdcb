from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from besom.search.grid_search import GridSearch
from besom.search.orders import Shuffle
from besom.space import Parameter, SearchSpace, make_distribution


def grid(**sizes: int) -> SearchSpace:
    return SearchSpace(
        [Parameter((name,), make_distribution("int_uniform", {"min": 1, "max": size})) for name, size in sizes.items()]
    )


def walk(searcher: GridSearch) -> list[Any]:
    draws = []
    while (params := searcher.ask(len(draws), [])) is not None:
        draws.append(params)
    return draws


def test_sequential_order_is_that_of_the_space() -> None:
    space = grid(b=2, a=3)
    assert walk(GridSearch(space)) == [space.grid_point(index) for index in range(6)]


def test_shuffled_order_is_a_shuffle_of_the_space() -> None:
    space = grid(b=2, a=3)
    shuffle = Shuffle(7, 6)
    assert walk(GridSearch(space, seed=7, order="shuffled")) == [space.grid_point(shuffle[i]) for i in range(6)]


def test_the_seed_does_not_matter_to_the_sequential_order() -> None:
    assert walk(GridSearch(grid(a=5), seed=1)) == walk(GridSearch(grid(a=5), seed=2))


def test_a_grid_knows_its_size() -> None:
    assert GridSearch(grid(a=1000, b=1000, c=1001)).size() == 1_001_000_000


def test_a_space_without_a_grid_is_refused_at_once() -> None:
    endless = SearchSpace([Parameter(("lr",), make_distribution("uniform", {"min": 0, "max": 1}))])
    with pytest.raises(ValueError, match="lr is uniform, which has no place on a grid"):
        GridSearch(endless)


def peak_of_a_draw(space: SearchSpace, order: Any) -> int:
    tracemalloc.start()
    try:
        searcher = GridSearch(space, seed=1, order=order)
        assert searcher.ask(searcher.size() - 1, []) is not None
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("order", ["sequential", "shuffled"])
def test_a_draw_from_a_billion_needs_no_more_memory_than_from_ten(order: str) -> None:
    peak_of_a_draw(grid(a=3, b=4), order)
    assert peak_of_a_draw(grid(a=10**4, b=10**5 + 1), order) < peak_of_a_draw(grid(a=2, b=5), order) + 8000


def test_a_draw_from_a_billion_takes_as_many_steps_as_from_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    hash_of_a_round = Shuffle._hash

    def counted(self: Shuffle, text: str, size: int) -> int:
        steps.append(self.size)
        return hash_of_a_round(self, text, size)

    monkeypatch.setattr(Shuffle, "_hash", counted)
    for space in (grid(a=2, b=5), grid(a=10**4, b=10**5)):
        GridSearch(space, order="shuffled").ask(7, [])
    assert steps.count(10) == steps.count(10**9) == 2 * Shuffle.ROUNDS
