from __future__ import annotations

import tracemalloc
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from besom.space import Parameter, SearchSpace, identity, make_distribution
from besom.space.parameters import MISSING


def space(**options: dict[str, Any]) -> SearchSpace:
    """A space out of `name={"kind": …, options}`; `__` in a name goes one level down."""
    parameters = []
    for name, given_options in options.items():
        rest = dict(given_options)
        parameters.append(Parameter(tuple(name.split("__")), make_distribution(rest.pop("kind"), rest)))
    return SearchSpace(parameters)


def listed(*values: Any) -> dict[str, Any]:
    return {"kind": "categorical", "values": list(values)}


def ints(low: int, high: int) -> dict[str, Any]:
    return {"kind": "int_uniform", "min": low, "max": high}


UNIFORM = {"kind": "uniform", "min": 0, "max": 1}
MIXED = space(
    b=listed("x", "y", "x"),
    a__z=ints(1, 3),
    a__q={"kind": "q_uniform", "min": 0, "max": 1, "q": 0.25},
    c={"kind": "constant", "value": [1]},
)


def test_parameters_are_sorted_by_name_at_each_level() -> None:
    assert [each.name for each in space(b=UNIFORM, a__z=UNIFORM, a__b__c=UNIFORM, a__a=UNIFORM).parameters] == [
        "a.a",
        "a.b.c",
        "a.z",
        "b",
    ]


def test_spaces_of_the_same_parameters_are_equal_in_any_order() -> None:
    assert space(a=UNIFORM, b=ints(0, 1)) == space(b=ints(0, 1), a=UNIFORM)
    assert space(a=UNIFORM) != space(b=UNIFORM)


def test_a_place_given_twice_is_refused() -> None:
    twice = Parameter(("a", "b"), make_distribution("uniform", {"min": 0, "max": 1}))
    with pytest.raises(ValueError, match=r"a\.b is given twice"):
        SearchSpace([twice, twice])


def test_a_value_that_is_also_a_group_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a is a value and a group that holds a\.b\.c: rename one of them"):
        space(a=UNIFORM, a__b__c=UNIFORM)


def test_a_dotted_name_and_a_group_live_side_by_side() -> None:
    both = SearchSpace(
        [
            Parameter(("o.lr",), make_distribution("constant", {"value": 1})),
            Parameter(("o", "lr"), make_distribution("constant", {"value": 2})),
        ]
    )
    assert both.grid_point(0) == {"o": {"lr": 2}, "o.lr": 1}


def test_swept_names_are_the_top_names_that_vary() -> None:
    assert MIXED.swept_names == ("a", "b")
    assert space(g__c={"kind": "constant", "value": 1}).swept_names == ()


def test_the_grid_counts_distinct_values() -> None:
    assert MIXED.grid_size() == 3 * 5 * 2


def test_the_points_of_a_grid_are_all_different() -> None:
    points = [MIXED.grid_point(index) for index in range(MIXED.grid_size())]
    assert len({identity(point) for point in points}) == 30


def test_the_last_name_changes_fastest() -> None:
    assert [space(b=ints(1, 2), a=ints(3, 4)).grid_point(index) for index in range(4)] == [
        {"a": 3, "b": 1},
        {"a": 3, "b": 2},
        {"a": 4, "b": 1},
        {"a": 4, "b": 2},
    ]


def test_params_are_nested_and_in_order() -> None:
    point = MIXED.grid_point(29)
    assert point == {"a": {"q": 1.0, "z": 3}, "b": "y", "c": [1]}
    assert list(point) == ["a", "b", "c"]
    assert list(point["a"]) == ["q", "z"]


@pytest.mark.parametrize("index", [-1, 30, 10**12])
def test_there_is_no_point_outside_of_the_grid(index: int) -> None:
    with pytest.raises(IndexError, match=f"point {index} is"):
        MIXED.grid_point(index)


@pytest.mark.parametrize(
    ("options", "instead"),
    [
        (UNIFORM, "list `values`, or give `min`, `max` and a step `q` with `distribution: q_uniform`"),
        ({"kind": "q_normal"}, "list `values`"),
        (
            {"kind": "categorical_w_probabilities", "values": [1, 2], "probabilities": [0.5, 0.5]},
            "leave out `probabilities`",
        ),
    ],
)
def test_what_has_no_grid_is_named_with_what_to_write_instead(options: dict[str, Any], instead: str) -> None:
    with pytest.raises(ValueError) as caught:
        space(a=ints(0, 1), g__lr=options).grid_size()
    assert str(caught.value).startswith(f"g.lr is {options['kind']}, which has no place on a grid: {instead}")
    assert str(caught.value).endswith("or use `method: random`")


def test_a_space_with_one_endless_parameter_has_no_size() -> None:
    endless = space(a=ints(0, 1), b=UNIFORM)
    assert endless.finite_size() is None
    assert endless.finite_values() is None
    with pytest.raises(TypeError, match="no numbered points"):
        endless.finite_point(0)
    with pytest.raises(TypeError, match="no numbered points"):
        endless.sample_index(np.random.default_rng(0))


def test_the_finite_size_leaves_out_what_is_never_drawn() -> None:
    never = space(a={"kind": "categorical_w_probabilities", "values": [1, 2, 3], "probabilities": [0.5, 0, 0.5]})
    assert never.finite_size() == 2


@given(seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=30)
def test_a_sample_is_the_finite_point_at_its_index(seed: int) -> None:
    sample = MIXED.sample(np.random.default_rng(seed))
    assert sample == MIXED.finite_point(MIXED.sample_index(np.random.default_rng(seed)))


@given(seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=30)
def test_a_space_contains_its_samples(seed: int) -> None:
    every_kind = space(
        a=UNIFORM,
        b={"kind": "normal"},
        c={"kind": "q_log_normal"},
        d={"kind": "beta", "a": 2},
        e={"kind": "log_uniform_values", "min": 1e-5, "max": 1},
        f__g=listed(1, "a", None),
    )
    assert every_kind.contains(every_kind.sample(np.random.default_rng(seed)))


def test_contains_looks_at_every_parameter_and_at_nothing_else() -> None:
    point = MIXED.grid_point(0)
    assert MIXED.contains({**point, "batch": 3})
    assert not MIXED.contains({**point, "b": "z"})
    assert not MIXED.contains({"b": "x", "c": [1]})
    assert not MIXED.contains({**point, "a": 3})


def test_samples_have_the_law_of_their_distributions() -> None:
    rng = np.random.default_rng(5)
    drawn = Counter(MIXED.sample(rng)["b"] for _ in range(3000))
    assert drawn["x"] / 3000 == pytest.approx(2 / 3, abs=0.03)


def test_a_generator_that_gives_0_does_not_reach_minus_infinity() -> None:
    class Zeros:
        def random(self, size: int) -> Any:
            return np.zeros(size)

    assert -10 < space(a={"kind": "normal"}).sample(Zeros())["a"] < -7  # type: ignore[arg-type]


def peak_of_a_point(grid: SearchSpace) -> int:
    grid.grid_size()
    tracemalloc.start()
    try:
        grid.grid_point(grid.grid_size() - 1)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_point_of_a_billion_needs_no_more_memory_than_one_of_ten() -> None:
    small = space(a=ints(1, 5), b={"kind": "q_uniform", "min": 0, "max": 1, "q": 1.0})
    large = space(a=ints(1, 10**6), b={"kind": "q_uniform", "min": 0, "max": 1, "q": 1e-6})
    assert (small.grid_size(), large.grid_size()) == (10, 10**6 * (10**6 + 1))
    peak_of_a_point(small)
    assert peak_of_a_point(large) < peak_of_a_point(small) + 1000


def test_a_point_has_the_quantiles_it_was_asked_at() -> None:
    each = space(a=ints(1, 4), b__c={"kind": "q_uniform", "min": 0, "max": 1, "q": 0.5}, d=listed("x", "y"))
    assert each.at([0.3, 0.5, 0.9]) == {"a": 2, "b": {"c": 0.5}, "d": "y"}
    assert each.finite_point(each.index_at([0.3, 0.5, 0.9])) == each.at([0.3, 0.5, 0.9])
    with pytest.raises(TypeError):
        space(a={"kind": "uniform", "min": 0, "max": 1}).index_at([0.5])


def test_nesting_leaves_out_what_is_missing() -> None:
    each = space(a=ints(1, 4), b__c=ints(1, 4), b__d=ints(1, 4))
    assert each.nest([1, MISSING, 2]) == {"a": 1, "b": {"d": 2}}
    assert each.nest([1, MISSING, MISSING]) == {"a": 1}
