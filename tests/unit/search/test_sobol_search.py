from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from besom.search import distinct_draws
from besom.search.sobol_search import SobolSearch
from besom.space import Parameter, SearchSpace, make_distribution, params_hash

Given = tuple[str, dict[str, Any]]


def space(**parameters: Given) -> SearchSpace:
    return SearchSpace(
        [Parameter((name,), make_distribution(kind, options)) for name, (kind, options) in parameters.items()]
    )


def ints(size: int) -> Given:
    return "int_uniform", {"min": 1, "max": size}


def draws(searcher: SobolSearch, count: int) -> list[Any]:
    return [searcher.ask(number, []) for number in range(count)]


UNIFORM: Given = ("uniform", {"min": 0, "max": 1})
RARE: Given = ("categorical_w_probabilities", {"values": ["x", "y"], "probabilities": [1 - 1e-12, 1e-12]})
WEIGHTED = space(a=("categorical", {"values": ["x", "x", "x", "y"]}), b=ints(5), fixed=("constant", {"value": 1}))


@pytest.mark.parametrize("seed", [0, 3, 2**64])
def test_a_finite_space_is_drawn_whole_and_once(seed: int) -> None:
    searcher = SobolSearch(WEIGHTED, seed=seed)
    assert searcher.size() == 10
    assert len({params_hash(params) for params in draws(searcher, 10)}) == 10
    assert searcher.ask(10, []) is None


def test_what_the_sequence_hardly_reaches_is_drawn_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distinct_draws, "MOST_REPEATS", 300)
    drawn = draws(SobolSearch(space(a=RARE, b=ints(10)), seed=2), 20)
    assert [params["a"] for params in drawn] == ["x"] * 10 + ["y"] * 10
    assert len({params_hash(params) for params in drawn}) == 20


def test_a_huge_space_is_drawn_without_repeats() -> None:
    searcher = SobolSearch(space(a=RARE, b=ints(10**6), c=ints(10**12)), seed=0)
    assert len({params_hash(params) for params in draws(searcher, 300)}) == 300


def test_allow_repeats_and_endless_spaces_never_end() -> None:
    repeating = SobolSearch(WEIGHTED, seed=1, allow_repeats=True)
    assert repeating.size() is None
    drawn = Counter(params["a"] for params in draws(repeating, 256))
    # Each multiple of 2^m points has the weights to the point.
    assert drawn == {"x": 192, "y": 64}
    endless = SobolSearch(space(a=UNIFORM, b=ints(2)), seed=0)
    assert endless.size() is None
    assert endless.ask(10**9, []) is not None


def test_draws_are_spread_by_each_law_and_constants_take_no_dimension() -> None:
    powers: Given = ("log_uniform_values", {"min": 1, "max": 2**16})
    drawn = draws(SobolSearch(space(a=powers, b=ints(4), c=UNIFORM), seed=7), 16)
    assert sorted(params["a"].hex().split("p")[1] for params in drawn) == sorted(f"+{power}" for power in range(16))
    assert Counter(params["b"] for params in drawn) == dict.fromkeys(range(1, 5), 4)
    with_constant = space(a=powers, aa=("constant", {"value": 0}), b=ints(4), c=UNIFORM)
    assert [{**params, "aa": 0} for params in drawn] == draws(SobolSearch(with_constant, seed=7), 16)


@pytest.mark.parametrize("each", [WEIGHTED, space(a=UNIFORM), space(a=ints(10**9), b=RARE)])
def test_a_draw_does_not_depend_on_the_draws_asked_before(each: SearchSpace) -> None:
    in_order = draws(SobolSearch(each, seed=5), 4)
    backwards = SobolSearch(each, seed=5)
    assert [backwards.ask(number, []) for number in (3, 1, 2, 0)] == [in_order[number] for number in (3, 1, 2, 0)]


def test_seeds_share_no_draws() -> None:
    found = [{params["a"] for params in draws(SobolSearch(space(a=UNIFORM), seed=seed), 50)} for seed in (1, 2)]
    assert not found[0] & found[1]
