"""Section 6: grid."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping
from typing import Any

import pytest

from besom.search import Observation, Searcher, make_searcher
from besom.space import KINDS, Parameter, SearchSpace, make_distribution

OPTIONS: dict[str, dict[str, Any]] = {
    "constant": {"value": 1},
    "categorical": {"values": [1, 2]},
    "categorical_w_probabilities": {"values": [1, 2], "probabilities": [0.5, 0.5]},
}


def space(**parameters: tuple[str, dict[str, Any]]) -> SearchSpace:
    return SearchSpace(
        [
            Parameter(tuple(name.split("__")), make_distribution(kind, options))
            for name, (kind, options) in parameters.items()
        ]
    )


def values(*listed: Any) -> tuple[str, dict[str, Any]]:
    return "categorical", {"values": list(listed)}


def ints(low: int, high: int) -> tuple[str, dict[str, Any]]:
    return "int_uniform", {"min": low, "max": high}


def grid(order: Any = "sequential", seed: int = 0, **parameters: tuple[str, dict[str, Any]]) -> Searcher:
    return make_searcher("grid", space(**parameters), seed=seed, order=order)


def walk(searcher: Searcher) -> list[Any]:
    points: list[Any] = []
    while (params := searcher.ask(len(points), [])) is not None:
        points.append(params)
    return points


def test_s06_grid_int_uniform_is_all_integers_with_both_ends() -> None:
    assert walk(grid(n=ints(2, 5))) == [{"n": 2}, {"n": 3}, {"n": 4}, {"n": 5}]


def test_s06_grid_q_uniform_goes_from_min_in_steps_of_q_and_includes_max() -> None:
    assert [params["d"] for params in walk(grid(d=("q_uniform", {"min": 0.1, "max": 0.5, "q": 0.1})))] == [
        0.1, 0.2, 0.3, 0.4, 0.5,
    ]  # fmt: skip


def test_s06_grid_categorical_keeps_the_order_of_the_list() -> None:
    assert [params["v"] for params in walk(grid(v=values(3, "a", None, 1)))] == [3, "a", None, 1]


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"constant", "categorical", "int_uniform", "q_uniform"}))
def test_s06_grid_refuses_every_other_kind_by_the_name_of_the_parameter(kind: str) -> None:
    given = {"min": 1, "max": 2} if KINDS[kind].option("min") else OPTIONS.get(kind, {})
    if kind.endswith("log_uniform"):
        given = {"min": -2, "max": 0}
    with pytest.raises(ValueError, match=f"lr is {kind}, which has no place on a grid: .*, or use `method: random`"):
        grid(lr=(kind, given))


def test_s06_grid_last_name_fastest() -> None:
    assert walk(grid(b=values(1, 2), a=values(3, 4))) == [
        {"a": 3, "b": 1},
        {"a": 3, "b": 2},
        {"a": 4, "b": 1},
        {"a": 4, "b": 2},
    ]


def test_s06_grid_names_are_sorted_at_each_nesting_level() -> None:
    points = walk(grid(z=values(1, 2), m__y=values(3, 4), m__b__c=values(5, 6)))
    assert points[:3] == [
        {"m": {"b": {"c": 5}, "y": 3}, "z": 1},
        {"m": {"b": {"c": 5}, "y": 3}, "z": 2},
        {"m": {"b": {"c": 5}, "y": 4}, "z": 1},
    ]
    assert len(points) == 8


def test_s06_grid_capital_letters_come_first() -> None:
    assert list(walk(grid(b=values(1), B=values(1), _=values(1)))[0]) == ["B", "_", "b"]


def test_s06_grid_runs_duplicates_once() -> None:
    assert [params["v"] for params in walk(grid(v=values(2, 1, 2, 1, 3)))] == [2, 1, 3]


@pytest.mark.parametrize("same", [(1, 1.0), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), (0, -0.0)])
def test_s06_grid_whole_floats_equal_ints_and_key_order_does_not_matter(same: tuple[Any, Any]) -> None:
    assert walk(grid(v=values(*same))) == [{"v": same[0]}]


def test_s06_grid_true_one_and_its_text_differ() -> None:
    assert [repr(params["v"]) for params in walk(grid(v=values(True, 1, "1", "true", "True")))] == [
        "True", "1", "'1'", "'true'", "'True'",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "state", ["queued", "running", "finished", "failed", "crashed", "killed", "preempted", "stopped"]
)
def test_s06_grid_a_point_is_tried_once_whatever_became_of_its_run(state: str) -> None:
    searcher = grid(v=values(1, 2, 3))
    for number in (0, 1):
        params = searcher.ask(number, [])
        assert params is not None
        searcher.tell(Observation(number=number, params=params, loss=None, state=state))
    assert searcher.ask(2, []) == {"v": 3}
    assert searcher.ask(3, []) is None


def test_s06_grid_dict_values_are_points_like_others() -> None:
    assert walk(grid(v=values({"a": 1}, {"a": 2}))) == [{"v": {"a": 1}}, {"v": {"a": 2}}]


@pytest.mark.parametrize("told", [{}, {"v": "1"}, {"v": 1, "extra": 2}, {"v": 99}])
def test_s06_grid_decide_a_run_with_changed_values_brings_no_point_back(told: Mapping[str, Any]) -> None:
    searcher = grid(v=values(1, 2))
    searcher.tell(Observation(number=0, params=told, loss=1.0, state="finished"))
    assert [searcher.ask(number, []) for number in (1, 2)] == [{"v": 2}, None]


def test_s06_grid_exhausted_gives_none() -> None:
    searcher = grid(v=values(1, 2))
    assert [searcher.ask(number, []) for number in (2, 3, 100)] == [None] * 3


def test_s06_grid_of_constants_has_one_point() -> None:
    searcher = grid(a=("constant", {"value": 1}), b=("constant", {"value": [2]}))
    assert walk(searcher) == [{"a": 1, "b": [2]}]
    assert searcher.size() == 1


def peak_of_a_hand_out(size: int, order: str) -> int:
    points = space(a=ints(1, size), b=ints(1, 10), c=("q_uniform", {"min": 0, "max": size, "q": 1}))
    tracemalloc.start()
    try:
        searcher = make_searcher("grid", points, seed=1, order=order)  # type: ignore[arg-type]
        assert searcher.ask(searcher.size() - 1, []) is not None  # type: ignore[operator]
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("order", ["sequential", "shuffled"])
def test_s06_grid_decide_the_grid_is_indexed_and_never_built(order: str) -> None:
    peak_of_a_hand_out(2, order)
    assert peak_of_a_hand_out(10**5, order) < peak_of_a_hand_out(2, order) + 8000


def test_s06_grid_decide_any_of_a_billion_points_is_found_by_its_number() -> None:
    searcher = grid(a=ints(0, 999), b=ints(0, 999), c=ints(0, 999))
    assert searcher.size() == 10**9
    assert searcher.ask(123_456_789, []) == {"a": 123, "b": 456, "c": 789}


def test_s06_grid_decide_shuffled_gives_every_point_once_in_another_order() -> None:
    names = {"a": ints(1, 6), "b": values("x", "y", "z")}
    sequential, shuffled = walk(grid(**names)), walk(grid("shuffled", **names))
    assert shuffled != sequential
    assert sorted(map(repr, shuffled)) == sorted(map(repr, sequential))


def test_s06_grid_decide_the_seed_fixes_the_shuffle() -> None:
    assert walk(grid("shuffled", 5, a=ints(1, 20))) == walk(grid("shuffled", 5, a=ints(1, 20)))
    assert walk(grid("shuffled", 5, a=ints(1, 20))) != walk(grid("shuffled", 6, a=ints(1, 20)))
