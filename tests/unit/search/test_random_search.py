from __future__ import annotations

import tracemalloc
from collections import Counter
from typing import Any

import pytest

from besom.search import distinct_draws, random_search
from besom.search.random_search import RandomSearch
from besom.space import Parameter, SearchSpace, make_distribution, params_hash


def space(**parameters: tuple[str, dict[str, Any]]) -> SearchSpace:
    return SearchSpace(
        [Parameter((name,), make_distribution(kind, options)) for name, (kind, options) in parameters.items()]
    )


def ints(size: int) -> tuple[str, dict[str, Any]]:
    return "int_uniform", {"min": 1, "max": size}


def listed(*values: Any) -> tuple[str, dict[str, Any]]:
    return "categorical", {"values": list(values)}


def draws(searcher: RandomSearch, count: int) -> list[Any]:
    return [searcher.ask(number, []) for number in range(count)]


UNIFORM = ("uniform", {"min": 0, "max": 1})
ALIKE = space(a=ints(4), b=ints(5))
WEIGHTED = space(a=listed("x", "x", "x", "y"), b=ints(5))
# More points than are sorted at once, with nearly all the weight on a few of them.
SKEWED = space(
    a=("categorical_w_probabilities", {"values": ["x", "y"], "probabilities": [1 - 1e-12, 1e-12]}),
    b=("categorical_w_probabilities", {"values": [1, 2], "probabilities": [1 - 1e-12, 1e-12]}),
    c=("q_uniform", {"min": 0, "max": 1, "q": 1e-6}),
)


@pytest.mark.parametrize("finite", [ALIKE, WEIGHTED], ids=["alike", "weighted"])
@pytest.mark.parametrize("seed", [0, 3, 2**64])
def test_a_finite_space_is_drawn_whole_and_once(finite: SearchSpace, seed: int) -> None:
    searcher = RandomSearch(finite, seed=seed)
    size = finite.finite_size()
    assert size is not None
    assert len({params_hash(params) for params in draws(searcher, size)}) == size
    assert searcher.ask(size, []) is None


@pytest.mark.parametrize("finite", [ALIKE, WEIGHTED], ids=["alike", "weighted"])
def test_allow_repeats_never_ends(finite: SearchSpace) -> None:
    searcher = RandomSearch(finite, seed=1, allow_repeats=True)
    assert searcher.size() is None
    drawn = draws(searcher, 200)
    assert None not in drawn
    assert len({params_hash(params) for params in drawn}) == finite.finite_size()


def test_an_endless_space_never_ends() -> None:
    searcher = RandomSearch(space(a=UNIFORM, b=ints(2)), seed=0)
    assert searcher.size() is None
    assert searcher.ask(10**9, []) is not None


def test_the_first_draw_of_a_finite_space_follows_the_weights() -> None:
    first = Counter(RandomSearch(WEIGHTED, seed=seed).ask(0, [])["a"] for seed in range(2000))  # type: ignore[index]
    assert first["x"] / 2000 == pytest.approx(0.75, abs=0.03)


def test_independent_draws_follow_the_weights() -> None:
    drawn = Counter(params["a"] for params in draws(RandomSearch(WEIGHTED, seed=0, allow_repeats=True), 2000))
    assert drawn["x"] / 2000 == pytest.approx(0.75, abs=0.03)


def test_skipping_repeats_and_sorting_have_the_same_law(monkeypatch: pytest.MonkeyPatch) -> None:
    def second_draws() -> Counter[str]:
        return Counter(RandomSearch(WEIGHTED, seed=seed).ask(1, [])["a"] for seed in range(3000))  # type: ignore[index]

    by_sorting = second_draws()
    monkeypatch.setattr(random_search, "MOST_SORTED", 0)
    by_skipping = second_draws()
    # Five points of weight 3 are x's and five of weight 1 are y's.
    expected = 15 / 20 * 12 / 17 + 5 / 20 * 15 / 19
    assert by_sorting["x"] / 3000 == pytest.approx(expected, abs=0.02)
    assert by_skipping["x"] / 3000 == pytest.approx(expected, abs=0.02)


def test_a_space_that_is_skipped_through_is_drawn_whole_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_search, "MOST_SORTED", 0)
    searcher = RandomSearch(WEIGHTED, seed=4)
    assert len({params_hash(params) for params in draws(searcher, 10)}) == 10
    assert searcher.ask(10, []) is None


def test_points_that_draws_hardly_reach_are_drawn_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distinct_draws, "MOST_REPEATS", 300)
    monkeypatch.setattr(random_search, "MOST_SORTED", 0)
    hardly = space(
        a=("categorical_w_probabilities", {"values": ["x", "y"], "probabilities": [1 - 1e-12, 1e-12]}), b=ints(10)
    )
    drawn = draws(RandomSearch(hardly, seed=2), 20)
    assert [params["a"] for params in drawn] == ["x"] * 10 + ["y"] * 10
    assert len({params_hash(params) for params in drawn}) == 20


def test_a_huge_weighted_space_is_drawn_without_repeats() -> None:
    searcher = RandomSearch(SKEWED, seed=0)
    assert searcher.size() == 4 * (10**6 + 1)
    assert len({params_hash(params) for params in draws(searcher, 500)}) == 500


@pytest.mark.parametrize(
    "each", [ALIKE, WEIGHTED, SKEWED, space(a=UNIFORM)], ids=["alike", "weighted", "skewed", "endless"]
)
def test_a_draw_does_not_depend_on_the_draws_asked_before(each: SearchSpace) -> None:
    in_order = draws(RandomSearch(each, seed=5), 4)
    backwards = RandomSearch(each, seed=5)
    assert [backwards.ask(number, []) for number in (3, 1, 2, 0)] == [in_order[number] for number in (3, 1, 2, 0)]


def test_neighbouring_seeds_share_no_draws() -> None:
    def of(seed: int) -> set[float]:
        return {params["a"] for params in draws(RandomSearch(space(a=UNIFORM), seed=seed), 50)}

    assert not of(1) & of(2)


def test_draws_are_the_same_in_every_release() -> None:
    # Running sweeps go on after an update.
    endless = RandomSearch(space(a=UNIFORM), seed=3).ask(17, [])
    assert (endless, RandomSearch(WEIGHTED, seed=3).ask(17, [])) == DRAW_17_OF_SEED_3


def peak_of_a_draw(each: SearchSpace) -> int:
    tracemalloc.start()
    try:
        assert RandomSearch(each, seed=1).ask(5, []) is not None
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_draw_from_a_billion_needs_no_more_memory_than_from_ten() -> None:
    peak_of_a_draw(space(a=ints(10)))
    assert peak_of_a_draw(space(a=ints(10**9))) < peak_of_a_draw(space(a=ints(10))) + 8000


def test_a_weighted_draw_from_a_billion_keeps_only_what_was_drawn() -> None:
    billion = space(a=("q_uniform", {"min": 0, "max": 1, "q": 1e-9}))
    ten = space(a=("q_uniform", {"min": 0, "max": 1, "q": 0.1}))
    peak_of_a_draw(ten)
    assert peak_of_a_draw(billion) < peak_of_a_draw(ten) + 8000


DRAW_17_OF_SEED_3 = ({"a": 0.39489341360594077}, None)
