from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from besom.space import Parameter, SearchSpace, identity, make_distribution, params_hash
from besom.space.encoding import Encoding

Draw = Any
Given = tuple[str, dict[str, Any]]


def space(**parameters: Given) -> SearchSpace:
    return SearchSpace(
        [
            Parameter(tuple(name.split("__")), make_distribution(kind, options))
            for name, (kind, options) in parameters.items()
        ]
    )


def listed(*values: Any) -> Given:
    return "categorical", {"values": list(values)}


numbers = st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda number: round(number, 3))
widths = st.floats(1, 1e6).map(lambda number: round(number, 3))
scalars = st.none() | st.booleans() | st.integers(-9, 9) | numbers | st.text("ab1", max_size=2)
lists = st.lists(scalars | st.lists(scalars, max_size=2), min_size=1, max_size=6)
ladders = st.lists(st.integers(-99, 99), min_size=4, max_size=9, unique=True).map(sorted)


@st.composite
def bounded(draw: Draw) -> dict[str, Any]:
    low = draw(numbers)
    return {"min": low, "max": low + draw(widths)}


@st.composite
def positive(draw: Draw) -> dict[str, Any]:
    low = draw(st.floats(1e-6, 1e3))
    return {"min": low, "max": low * draw(st.floats(1.5, 1e6))}


@st.composite
def stepped(draw: Draw) -> Given:
    """A kind with q, in which a few to some thousand steps fit."""
    kind = draw(st.sampled_from(["q_uniform", "q_log_uniform_values"]))
    options = draw(bounded() if kind == "q_uniform" else positive())
    q = float(f"{(options['max'] - options['min']) / draw(st.integers(1, 5000)):.3g}")
    return kind, {**options, "max": options["max"] + 2 * q, "q": q}


whole = st.tuples(st.integers(-99, 99), st.integers(1, 2**32)).map(
    lambda ends: ("int_uniform", {"min": ends[0], "max": sum(ends)})
)
endless = (
    bounded().map(lambda options: ("uniform", options))
    | positive().map(lambda options: ("log_uniform_values", options))
    | st.builds(
        lambda kind, mu, sigma: (kind, {"mu": mu, "sigma": sigma}),
        st.sampled_from(["normal", "log_normal", "q_normal", "q_log_normal"]),
        st.floats(-3, 3),
        st.floats(0.1, 5),
    )
    | st.builds(lambda a, b: ("beta", {"a": a, "b": b}), st.floats(0.5, 9), st.floats(0.5, 9))
)
countable = (
    lists.map(lambda values: listed(*values))
    | ladders.map(lambda values: listed(*values))
    | stepped()
    | whole
    | st.builds(lambda b: ("q_beta", {"a": 2, "b": b, "q": 0.1}), st.floats(0.5, 20))
    | scalars.map(lambda value: ("constant", {"value": value}))
)


def spaces(kinds: st.SearchStrategy[Given]) -> st.SearchStrategy[SearchSpace]:
    names = st.sampled_from(["a", "b", "group__a", "group__deep__b", "lr.x"])
    return st.dictionaries(names, kinds, max_size=5).map(lambda parameters: space(**parameters))


any_space = spaces(endless | countable)
seeds = st.integers(0, 2**16)


def cloud(encoding: Encoding, seed: int, count: int = 6) -> NDArray[np.float64]:
    """Coordinates that need not be reachable."""
    x = np.random.default_rng(seed).random((count, encoding.dimension))
    return np.where(encoding.is_category, x * (encoding.cells - 1), x)


@given(any_space, seeds)
@settings(max_examples=200, deadline=None)
def test_snapping_twice_is_snapping_once(each: SearchSpace, seed: int) -> None:
    encoding = Encoding(each)
    snapped = encoding.snap(cloud(encoding, seed))
    assert np.array_equal(encoding.snap(snapped), snapped)
    assert np.all((snapped >= 0) & (encoding.is_category | (snapped <= 1)))


@given(any_space, seeds)
@settings(max_examples=200, deadline=None)
def test_a_decoded_point_can_run_and_is_encoded_as_it_was(each: SearchSpace, seed: int) -> None:
    encoding = Encoding(each)
    points = cloud(encoding, seed)
    for x, snapped in zip(points, encoding.snap(points), strict=True):
        params = encoding.decode(x)
        assert each.contains(params)
        found = encoding.encode(params)
        assert found is not None
        assert np.array_equal(found[encoding.cells > 0], snapped[encoding.cells > 0])
        assert found == pytest.approx(snapped, abs=1e-9)
        assert encoding.key(x) == encoding.key(snapped)


@given(any_space, st.lists(st.floats(0.001, 0.999), min_size=5, max_size=5))
@settings(max_examples=200, deadline=None)
def test_params_are_decoded_as_they_were_encoded(each: SearchSpace, quantiles: list[float]) -> None:
    encoding = Encoding(each)
    params = each.at(quantiles[: len(each.parameters)])
    x = encoding.encode(params)
    assert x is not None
    assert encoding.key_of(params) == encoding.key(x)
    decoded = encoding.decode(x)
    for parameter in each.parameters:
        value, found = parameter.value_in(params), parameter.value_in(decoded)
        if parameter.distribution.finite_values() is None:
            assert found == pytest.approx(value, rel=1e-9, abs=1e-6)
        else:
            assert identity(found) == identity(value)
            assert type(found) is type(value)


@given(any_space, seeds)
@settings(deadline=None)
def test_quantiles_give_the_values_that_the_laws_give(each: SearchSpace, seed: int) -> None:
    encoding = Encoding(each)
    u = np.random.default_rng(seed).uniform(0.001, 0.999, (4, encoding.dimension))
    points = encoding.from_unit(u)
    assert np.array_equal(encoding.snap(points), points)
    for row, x in zip(u, points, strict=True):
        swept = iter(row.tolist())
        params = each.at([next(swept) if one in encoding.parameters else 0.5 for one in each.parameters])
        found = encoding.encode(params)
        assert found is not None
        assert found == pytest.approx(x, abs=1e-9)


small_kinds = (
    lists.map(lambda values: listed(*values))
    | ladders.map(lambda values: listed(*values))
    | st.integers(1, 9).map(lambda high: ("int_uniform", {"min": 0, "max": high}))
    | st.integers(2, 9).map(lambda high: ("q_log_uniform_values", {"min": 1, "max": high, "q": 1}))
    | st.just(("q_beta", {"a": 2, "b": 20, "q": 0.2}))
    | scalars.map(lambda value: ("constant", {"value": value}))
)


@given(spaces(small_kinds).filter(lambda each: (each.finite_size() or 0) <= 2000))
@settings(deadline=None)
def test_all_points_are_those_of_the_space_and_each_has_a_key_of_its_own(each: SearchSpace) -> None:
    encoding = Encoding(each)
    size = encoding.size()
    assert size == each.finite_size()
    assert size is not None
    points = encoding.all_points()
    assert points.shape == (size, encoding.dimension)
    assert np.array_equal(encoding.snap(points), points)
    hashes = [params_hash(encoding.decode(x)) for x in points]
    assert set(hashes) == {params_hash(each.finite_point(index)) for index in range(size)}
    assert len(set(encoding.keys(points))) == size


def test_a_million_points_have_a_million_keys() -> None:
    each = space(
        a=("int_uniform", {"min": 1, "max": 100}),
        b=("q_log_uniform_values", {"min": 1, "max": 1000, "q": 10}),
        c=listed(*range(10), "x", True, "1", *range(20, 107)),
    )
    encoding = Encoding(each)
    assert encoding.size() == 100 * 100 * 100
    assert len(set(encoding.keys(encoding.all_points()))) == 100 * 100 * 100


NAMES = {"values": ["sgd", "adam", "sgd"], "probabilities": [0.1, 0.3, 0.6]}
MIXED = space(
    epochs=("constant", {"value": 10}),
    optimizer__name=("categorical_w_probabilities", NAMES),
    optimizer__lr=("log_uniform_values", {"min": 1e-4, "max": 1}),
    width=listed(16, 32, 64, 128),
    depth=("q_uniform", {"min": 0, "max": 4, "q": 2}),
)
ONE = {"epochs": 10, "optimizer": {"name": "adam", "lr": 0.01}, "width": 32, "depth": 2}


def test_columns_are_in_the_order_of_the_space_without_constants() -> None:
    encoding = Encoding(MIXED)
    assert [each.name for each in encoding.parameters] == ["depth", "optimizer.lr", "optimizer.name", "width"]
    assert encoding.dimension == 4
    assert encoding.cells.tolist() == [3, 0, 2, 4]
    assert encoding.is_category.tolist() == [False, False, True, False]
    assert encoding.encode(ONE) == pytest.approx([0.5, 0.5, 1, 0.375])
    assert encoding.size() is None


def test_a_missing_value_or_text_for_a_number_is_no_point() -> None:
    encoding = Encoding(MIXED)
    assert encoding.encode({**ONE, "optimizer": {"name": "adam"}}) is None
    assert encoding.encode({**ONE, "optimizer": "adam"}) is None
    assert encoding.encode({**ONE, "width": "32"}) is None
    assert encoding.encode({**ONE, "depth": True}) is None
    assert encoding.encode({**ONE, "depth": math.nan}) is None
    # A constant is not looked at, nor is what the space does not know.
    assert encoding.encode({key: value for key, value in {**ONE, "seed": 1}.items() if key != "epochs"}) is not None


def test_unknown_categories_match_nothing_and_are_decoded_to_a_listed_one() -> None:
    encoding = Encoding(MIXED)

    def named(name: Any) -> NDArray[np.float64]:
        x = encoding.encode({**ONE, "optimizer": {"name": name, "lr": 0.01}})
        assert x is not None
        return x

    found = [named(name) for name in ("sgd", "adam", "lion", 1, "lion", True, 1.0)]
    assert [x[2] for x in found] == [0, 1, 2, 3, 2, 4, 3]
    assert len(set(encoding.keys(np.array(found)))) == 5
    assert MIXED.contains(encoding.decode(named("lion")))
    assert encoding.snap(named("lion")[np.newaxis])[0, 2] == 1


def test_only_points_of_the_space_have_a_key() -> None:
    encoding = Encoding(MIXED)
    assert encoding.key_of(ONE) is not None
    assert encoding.key_of({**ONE, "depth": 2.0, "further": 1}) == encoding.key_of(ONE)
    for key, value in [("epochs", 11), ("depth", 1), ("depth", 6), ("width", 48), ("width", "32"), ("optimizer", {})]:
        assert encoding.key_of({**ONE, key: value}) is None
    # A point of the grid that counts from `min`, where draws are multiples of q.
    shifted = Encoding(space(a=("q_uniform", {"min": 0.05, "max": 1, "q": 0.1})))
    assert shifted.space.contains({"a": 0.15})
    assert shifted.key_of({"a": 0.15}) is None
    assert shifted.key_of({"a": 0.2}) is not None


def test_continuous_points_that_differ_by_rounding_have_the_same_key() -> None:
    encoding = Encoding(space(a=("uniform", {"min": 0, "max": 3}), b=listed("x", "y")))
    keys = encoding.keys(np.array([[0.4, 0], [0.4 + 1e-14, 0], [0.4 + 1e-7, 0], [0.4, 1]]))
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_what_is_not_active_stays_so() -> None:
    encoding = Encoding(MIXED)
    x = encoding.encode(ONE)
    assert x is not None
    x[1:3] = np.nan
    assert np.array_equal(encoding.snap(x[np.newaxis])[0], x, equal_nan=True)
    assert encoding.decode(x) == {"epochs": 10, "width": 32, "depth": 2}
    others = x.copy()
    others[2] = 0
    assert encoding.key(x) == encoding.key(x.copy()) != encoding.key(others)


def test_samples_follow_probabilities_and_values_listed_twice() -> None:
    encoding = Encoding(MIXED)
    points = encoding.sample(np.random.default_rng(0), 4000)
    assert points.shape == (4000, 4)
    assert encoding.category_weights(2) == pytest.approx([0.7, 0.3])
    assert np.mean(points[:, 2] == 0) == pytest.approx(0.7, abs=0.03)
    # The ends of a stepped range are rounded to from half as far.
    assert [np.mean(points[:, 0] == x) for x in (0.5 / 3, 0.5, 2.5 / 3)] == pytest.approx([0.25, 0.5, 0.25], abs=0.03)
    assert np.median(points[:, 1]) == pytest.approx(0.5, abs=0.03)
    with pytest.raises(TypeError):
        encoding.category_weights(1)


def test_a_space_of_constants_is_one_point_without_columns() -> None:
    encoding = Encoding(space(a=("constant", {"value": {"b": 1}}), c=listed("only")))
    assert encoding.dimension == 0
    assert encoding.size() == 1
    assert encoding.all_points().shape == (1, 0)
    assert encoding.sample(np.random.default_rng(0), 3).shape == (3, 0)
    assert encoding.decode(encoding.all_points()[0]) == {"a": {"b": 1}, "c": "only"}
    assert len(set(encoding.keys(np.empty((2, 0))))) == 1


def test_a_space_without_end_or_count_has_no_list_of_points() -> None:
    endless_space = Encoding(MIXED)
    uncounted = Encoding(space(**{name: ("int_uniform", {"min": 0, "max": 2**32}) for name in "abc"}))
    for encoding in (endless_space, uncounted):
        assert encoding.size() is None
        with pytest.raises(TypeError):
            encoding.all_points()
