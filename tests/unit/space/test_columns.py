from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from besom.space import KINDS, make_distribution
from besom.space.column import TAIL, Column
from besom.space.columns import Range, make_column

# One of each kind, with options that leave more than one value.
OPTIONS: dict[str, dict[str, Any]] = {
    "categorical": {"values": ["a", "b"]},
    "categorical_w_probabilities": {"values": ["a", "b"], "probabilities": [0.25, 0.75]},
    "int_uniform": {"min": 1, "max": 8},
    "uniform": {"min": -1, "max": 3},
    "q_uniform": {"min": 0.05, "max": 1, "q": 0.1},
    "log_uniform": {"min": -7, "max": 0},
    "log_uniform_values": {"min": 1e-5, "max": 1},
    "q_log_uniform": {"min": 0, "max": 7, "q": 1},
    "q_log_uniform_values": {"min": 8, "max": 1024, "q": 8},
    "inv_log_uniform": {"min": 0, "max": 7},
    "inv_log_uniform_values": {"min": 1e-5, "max": 1},
    "normal": {"mu": 1, "sigma": 2},
    "q_normal": {"mu": 1, "sigma": 2, "q": 0.5},
    "log_normal": {"mu": 1, "sigma": 2},
    "q_log_normal": {"mu": 1, "sigma": 1, "q": 1},
    "beta": {"a": 2, "b": 5},
    "q_beta": {"a": 2, "b": 50, "q": 0.1},
}


def column(kind: str, **options: Any) -> Column:
    made = make_column(make_distribution(kind, options or OPTIONS[kind]))
    assert made is not None
    return made


def of(values: list[float]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)


def test_every_kind_but_the_constant_has_a_column() -> None:
    assert set(OPTIONS) == set(KINDS) - {"constant"}
    assert all(make_column(make_distribution(kind, options)) for kind, options in OPTIONS.items())


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("constant", {"value": 3}),
        ("categorical", {"values": ["a", "a"]}),
        ("categorical_w_probabilities", {"values": ["a", "b"], "probabilities": [0, 1]}),
        ("q_uniform", {"min": 0.5, "max": 1.5, "q": 1}),
        ("normal", {"mu": 3, "sigma": 0}),
        ("q_normal", {"mu": 3, "sigma": 0, "q": 1}),
        ("q_normal", {"mu": 3, "sigma": 0.01, "q": 1}),
        ("log_normal", {"mu": 3, "sigma": 0}),
        ("beta", {"a": 0, "b": 2}),
    ],
)
def test_one_value_has_no_column(kind: str, options: dict[str, Any]) -> None:
    assert make_column(make_distribution(kind, options)) is None


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("uniform", 0, 0.25),
        ("log_uniform_values", 1e-4, 0.2),
        ("log_uniform", math.exp(-3.5), 0.5),
        # The smallest value is e^-7, and the logarithm of 1/x runs the other way.
        ("inv_log_uniform", math.exp(-7), 0.0),
        ("inv_log_uniform_values", 1e-5, 0.0),
        ("int_uniform", 1, 0.5 / 8),
        ("int_uniform", 8, 7.5 / 8),
        # 0.1, 0.2 … 1.0
        ("q_uniform", 0.3, 2.5 / 10),
        # 0, 0.1 … 1.0, however unlikely the last ones are
        ("q_beta", 1.0, 10.5 / 11),
        ("normal", 1, 0.5),
        ("normal", 3, NormalDist().cdf(1)),
        ("log_normal", math.e, 0.5),
        ("beta", 0.25, 1 - 0.75**5 * (1 + 5 * 0.25)),
        ("categorical", "b", 1.0),
    ],
)
def test_coordinates_of_known_values(kind: str, value: Any, expected: float) -> None:
    assert column(kind).coordinate(value) == pytest.approx(expected, abs=1e-12)


def test_logarithmic_steps_lie_at_the_logarithm_with_half_a_step_more_at_the_ends() -> None:
    steps = column("q_log_uniform_values")
    for value in (8, 16, 800, 1024):
        expected = math.log(value / 4) / math.log(1028 / 4)
        assert steps.coordinate(value) == pytest.approx(expected, abs=1e-12)


def test_unbounded_steps_lie_in_the_middle_of_their_probability() -> None:
    normal = NormalDist(1, 2)
    expected = (normal.cdf(1.75) + normal.cdf(2.25)) / 2
    assert column("q_normal").coordinate(2.0) == pytest.approx(expected, abs=1e-12)
    log_normal = NormalDist(1, 1)
    # All from 0 to a half is rounded to 0, of which the tail is left out.
    expected = (TAIL + log_normal.cdf(math.log(0.5))) / 2
    assert column("q_log_normal").coordinate(0) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kind", ["normal", "log_normal", "beta", "q_normal", "q_log_normal"])
def test_tails_are_clipped(kind: str) -> None:
    clipped = column(kind)
    ends = clipped.snap(of([0.0, 1.0]))
    assert TAIL <= ends[0] < ends[1] <= 1 - TAIL
    assert clipped.coordinate(-1e9) == ends[0]
    assert clipped.coordinate(math.inf) == ends[1]


@pytest.mark.parametrize("kind", OPTIONS)
def test_what_is_no_number_has_no_coordinate_among_numbers(kind: str) -> None:
    each = column(kind)
    found = [each.coordinate(value) for value in (True, None, "1", [1], math.nan)]
    assert all((coordinate is None) != each.is_category for coordinate in found)


@pytest.mark.parametrize("kind", [kind for kind in OPTIONS if not kind.startswith("categorical")])
def test_numbers_beyond_the_range_are_clipped(kind: str) -> None:
    each = column(kind)
    low, high = each.snap(of([0.0, 1.0]))
    for far in (10**400, 1e308, math.inf):
        assert each.coordinate(far) == high
        assert each.coordinate(-far) == low


@pytest.mark.parametrize(
    ("values", "is_category"),
    [
        ([16, 32, 64, 128], False),
        ([0.9, 0.5, 0.1, 0.01], False),
        ([1, 1, 2, 3, 4.5], False),
        ([16, 32, 64], True),
        ([16, 64, 32, 128], True),
        ([1, 2, 3, "4"], True),
        ([0, 1, 2, True], True),
        ([0, 1, 2, math.inf], True),
        ([2**60, 2**60 + 1, 2**60 + 2, 2**60 + 3], True),
    ],
)
def test_only_numbers_in_order_are_ranks(values: list[Any], is_category: bool) -> None:
    assert column("categorical", values=values).is_category is is_category


def test_ranks_are_evenly_apart_and_numbers_between_two_lie_between_them() -> None:
    rising = column("categorical", values=[1, 10, 100, 1000])
    found = [rising.coordinate(value) for value in (1, 10, 1000, 55, 0, 10**9)]
    assert found == pytest.approx([0.125, 0.375, 0.875, 0.5, 0.125, 0.875])
    falling = column("categorical_w_probabilities", values=[8, 4, 2, 1], probabilities=[0.1, 0.2, 0.3, 0.4])
    assert [falling.coordinate(value) for value in (8, 1, 3)] == pytest.approx([0.125, 0.875, 0.5])
    assert falling.weights().tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_only_lists_have_weights() -> None:
    assert column("categorical", values=["x", "y", "x"]).weights().tolist() == pytest.approx([2 / 3, 1 / 3])
    with pytest.raises(TypeError):
        column("uniform").weights()


def test_categories_are_told_apart_by_identity() -> None:
    mixed = column("categorical", values=[1, True, "1", None, [1]])
    assert [mixed.coordinate(value) for value in (1, 1.0, True, "1", None, (1.0,))] == [0, 0, 1, 2, 3, 4]


def test_unknown_categories_get_indices_of_their_own() -> None:
    known = column("categorical")
    assert [known.coordinate(value) for value in ("z", 1, "z", True, 1.0)] == [2, 3, 2, 4, 3]
    assert known.cells == 2
    assert known.snap(of([2.0, 4.0])).tolist() == [1, 1]
    assert known.code(of([2.0, 4.0])).tolist() == [2, 4]


def test_steps_without_end_that_no_float_tells_apart_are_a_range() -> None:
    fine = column("q_normal", mu=0, sigma=1e9, q=1e-9)
    assert isinstance(fine, Range)
    assert fine.coordinate(0) == 0.5


@pytest.mark.parametrize("kind", OPTIONS)
@given(codes=st.lists(st.integers(0, 2**30), min_size=1))
@settings(deadline=None)
def test_at_and_code_are_inverse(kind: str, codes: list[int]) -> None:
    each = column(kind)
    reachable = each.code(each.snap(each.at(of([code % (each.cells or 2**30 + 1) for code in codes]))))
    assert np.array_equal(each.code(each.at(reachable.astype(np.float64))), reachable)


LARGE: dict[str, tuple[str, dict[str, Any]]] = {
    "whole": ("int_uniform", {"min": -5, "max": 2**32}),
    "far": ("int_uniform", {"min": 10**18, "max": 10**18 + 2**32}),
    "stepped": ("q_uniform", {"min": 0, "max": 1e6, "q": 0.001}),
    "logarithmic": ("q_log_uniform_values", {"min": 1, "max": 2**32, "q": 1}),
    "fine": ("q_log_uniform_values", {"min": 1e-3, "max": 1e6, "q": 1e-3}),
    "unbounded": ("q_normal", {"mu": 0, "sigma": 1e8, "q": 1}),
}


@pytest.mark.parametrize("name", LARGE)
@given(part=st.floats(0, 1))
@settings(deadline=None)
def test_billions_of_values_are_told_apart(name: str, part: float) -> None:
    kind, options = LARGE[name]
    each = column(kind, **options)
    assert each.cells > 10**8
    index = min(int(part * each.cells), each.cells - 1)
    x = each.at(of([index]))
    value = each.value(float(x[0]))
    assert each.code(x).tolist() == [index]
    assert each.coordinate(value) == x[0]
    assert make_distribution(kind, options).contains(value)


def test_as_many_values_as_can_be_counted_raise_nothing() -> None:
    most = column("int_uniform", min=0, max=2**62 - 1)
    assert [most.value(x) for x in (0.0, 1.0)] == [0, 2**62 - 1]
    assert most.snap(of([0.0, 0.5, 1.0])).tolist() == pytest.approx([0, 0.5, 1])


@pytest.mark.parametrize("kind", [kind for kind in OPTIONS if column(kind).cells and not column(kind).is_category])
def test_cells_lie_side_by_side_around_their_values(kind: str) -> None:
    each = column(kind)
    centres = each.at(np.arange(each.cells, dtype=np.float64))
    low, high = each.borders(centres)
    assert (low[0], high[-1]) == (0, 1)
    assert np.array_equal(low[1:], high[:-1])
    assert np.all((low < centres) & (centres < high))
    # A little inside of both borders the value is still the same.
    for inside in (low + 1e-9 * (high - low), high - 1e-9 * (high - low)):
        assert np.array_equal(each.snap(inside), centres)


def test_only_countable_numbers_have_cells() -> None:
    for kind in ("uniform", "categorical"):
        with pytest.raises(TypeError):
            column(kind).borders(of([0.5]))
