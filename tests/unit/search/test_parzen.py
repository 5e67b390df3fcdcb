from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from besom.search import parzen
from besom.search.orders import generator
from besom.search.parzen import Parzen, suggest_by_parzen
from besom.space import Parameter, SearchSpace, make_distribution
from besom.space.encoding import Encoding

Array = NDArray[np.float64]


def encoding(**parameters: tuple[str, dict[str, Any]]) -> Encoding:
    return Encoding(
        SearchSpace([Parameter((name,), make_distribution(kind, how)) for name, (kind, how) in parameters.items()])
    )


UNIT = ("uniform", {"min": 0.0, "max": 1.0})
KIND = ("categorical", {"values": ["a", "b", "c"]})
WEIGHTED = ("categorical_w_probabilities", {"values": ["a", "b", "c"], "probabilities": [0.7, 0.2, 0.1]})
STEPS = ("q_log_uniform_values", {"min": 1, "max": 12, "q": 1})
RANKS = ("categorical", {"values": [16, 32, 64, 128]})
MIXED = encoding(a=WEIGHTED, b=("int_uniform", {"min": -1, "max": 2}), c=STEPS, d=RANKS)


def anything(points: Array) -> NDArray[np.bool_]:
    return np.ones(len(points), dtype=np.bool_)


def suggest(
    space: Encoding,
    x: Array,
    y: Any,
    pending: Array | None = None,
    seed: int = 0,
    untried: Callable[[Array], NDArray[np.bool_]] = anything,
) -> Array | None:
    under_way = np.empty((0, space.dimension)) if pending is None else pending
    return suggest_by_parzen(space, x, np.array(y, dtype=np.float64), under_way, generator(seed), untried)


def draws(space: Encoding, count: int, seed: int = 1) -> Array:
    return space.sample(generator(seed), count)


# ---- the density


@pytest.mark.parametrize("count", [0, 1, 2, 30])
def test_the_probabilities_of_all_points_add_up_to_1(count: int) -> None:
    density = Parzen(MIXED, draws(MIXED, count)).log_density(MIXED.all_points())
    assert np.exp(density).sum() == pytest.approx(1.0, abs=1e-12)


def test_unlisted_categories_and_missing_values_leave_it_a_density() -> None:
    points = draws(MIXED, 4)
    points[0, 0], points[1, 0], points[2, 1], points[3] = 5.0, np.nan, np.nan, np.nan
    density = Parzen(MIXED, points).log_density(MIXED.all_points())
    assert np.exp(density).sum() == pytest.approx(1.0, abs=1e-12)


def test_a_continuous_density_integrates_to_1() -> None:
    space = encoding(a=UNIT, b=UNIT)
    middles = (np.arange(400) + 0.5) / 400
    cells = np.array(list(itertools.product(middles, middles)))
    density = np.exp(Parzen(space, draws(space, 12)).log_density(cells))
    assert density.mean() == pytest.approx(1.0, abs=1e-3)


def test_a_density_of_steps_without_bounds_adds_up_to_1() -> None:
    space = encoding(a=("q_normal", {"mu": 10, "sigma": 3, "q": 2}))
    points = np.unique(space.snap(np.linspace(0, 1, 2000)[:, None]))[:, None]
    assert len(points) == space.cells[0]
    assert np.exp(Parzen(space, draws(space, 9)).log_density(points)).sum() == pytest.approx(1.0, abs=1e-12)


def test_without_points_it_is_the_law_of_the_space() -> None:
    space = encoding(a=WEIGHTED, b=UNIT)
    x = np.array([[0, 0.1], [1, 0.5], [2, 1.0]])
    assert np.exp(Parzen(space, x[:0]).log_density(x)) == pytest.approx([0.7, 0.2, 0.1])


def test_the_density_of_one_number_by_hand() -> None:
    found = np.exp(Parzen(encoding(a=UNIT), np.array([[0.25], [0.75]])).log_density(np.array([[0.25]])))
    # Two normal kernels of deviation ½, the distance of the two, cut at 0 and 1, and the uniform law.
    inside = 0.93319280 - 0.30853754  # Φ(1.5) - Φ(-0.5)
    assert found == pytest.approx([(1 + 0.79788456 / inside + 0.48394145 / inside) / 3], rel=1e-6)


def test_the_kernel_of_a_category_is_that_of_aitchison_and_aitken() -> None:
    # n = 2 points, C = 3: its own category with 1 - λ, each other with λ/(C - 1), λ = (C - 1)/(n + C) = 2/5.
    space = encoding(a=KIND)
    found = np.exp(Parzen(space, np.array([[0.0], [0.0]])).log_density(np.array([[0.0], [1.0], [2.0]])))
    assert found == pytest.approx([(2 * 0.6 + 1 / 3) / 3, (2 * 0.2 + 1 / 3) / 3, (2 * 0.2 + 1 / 3) / 3])


def test_cells_too_narrow_for_a_difference_have_the_density_times_their_width() -> None:
    many, few = (encoding(a=("int_uniform", {"min": 0, "max": cells - 1})) for cells in (2**40, 2**12))
    points = np.array([[0.2], [0.21], [0.6]])
    x = np.array([[0.2], [0.3], [0.999]])
    assert Parzen(many, many.snap(points)).log_density(many.snap(x)) - np.log(2.0**-40) == pytest.approx(
        Parzen(few, few.snap(points)).log_density(few.snap(x)) - np.log(2.0**-12), abs=0.02
    )


def test_the_largest_ranges_of_whole_numbers_have_a_density() -> None:
    space = encoding(a=("int_uniform", {"min": 0, "max": 2**62 - 1}), b=KIND)
    assert np.isfinite(Parzen(space, draws(space, 20)).log_density(draws(space, 20, seed=2))).all()


def test_a_number_that_is_not_active_adds_nothing() -> None:
    both, one = encoding(a=KIND, b=UNIT), encoding(a=KIND)
    points = draws(both, 5)
    x = np.array([[0.0, np.nan], [2.0, np.nan]])
    assert Parzen(both, points).log_density(x) == pytest.approx(Parzen(one, points[:, :1]).log_density(x[:, :1]))


def test_draws_have_the_law_of_the_density() -> None:
    points = draws(MIXED, 5)
    points[0, 0], points[1, 1] = 7.0, np.nan
    estimator = Parzen(MIXED, points)
    count = 20_000
    drawn = Counter(MIXED.keys(estimator.sample(generator(3), count)))
    space = MIXED.all_points()
    expected = np.exp(estimator.log_density(space)) * count
    found = np.array([drawn[key] for key in MIXED.keys(space)])
    often = expected > 5
    assert np.sum((found - expected)[often] ** 2 / expected[often]) < often.sum() + 5 * np.sqrt(2 * often.sum())


# ---- the suggestion


def test_the_next_point_is_near_the_good_ones() -> None:
    space = encoding(a=UNIT, b=KIND)
    x = draws(space, 200)
    y = np.abs(x[:, 0] - 0.3) + (x[:, 1] != 2)
    found = np.array([suggest(space, x, y, seed=seed) for seed in range(20)])
    assert np.median(np.abs(found[:, 0] - 0.3)) < 0.12
    assert (found[:, 1] == 2).sum() >= 16


def test_points_under_way_push_away() -> None:
    space = encoding(a=UNIT)
    x = np.linspace(0, 1, 30)[:, None]
    y = np.abs(x[:, 0] - 0.5)
    alone = np.array([suggest(space, x, y, seed=seed) for seed in range(40)])
    spot = np.full((10, 1), np.median(alone))
    together = np.array([suggest(space, x, y, pending=spot, seed=seed) for seed in range(40)])
    assert np.abs(together - spot[0]).mean() > 1.5 * np.abs(alone - spot[0]).mean()


def test_only_the_order_of_losses_matters() -> None:
    space = encoding(a=UNIT, b=RANKS)
    x = draws(space, 25)
    y = generator(2).random(25)
    expected = suggest(space, x, y)
    assert np.array_equal(expected, suggest(space, x, np.exp(50 * y)))
    assert np.array_equal(expected, suggest(space, x, 1e-300 * y))


def test_a_run_without_a_loss_is_worse_than_all_others() -> None:
    space = encoding(a=UNIT)
    x = draws(space, 30)
    y = x[:, 0].copy()
    y[y > 0.5] = 1e9
    lost = np.where(y == 1e9, np.nan, y)
    assert np.array_equal(suggest(space, x, y), suggest(space, x, lost))
    assert np.array_equal(suggest(space, x, y), suggest(space, x, np.where(y == 1e9, -np.inf, y)))


def test_where_all_runs_failed_the_next_one_is_far_from_them() -> None:
    space = encoding(a=UNIT)
    x = np.linspace(0, 0.5, 20)[:, None]
    found = [suggest(space, x, [np.nan] * 20, seed=seed) for seed in range(10)]
    assert np.array(found).min() > 0.5


def test_without_runs_any_point_will_do() -> None:
    found = suggest(MIXED, np.empty((0, 4)), [])
    assert found is not None
    assert np.array_equal(found, MIXED.snap(found[None])[0])


def test_it_is_the_draw_with_the_largest_ratio_of_the_densities() -> None:
    x, y = draws(MIXED, 40), generator(5).random(40)
    order = np.argsort(y)
    good, others = Parzen(MIXED, x[order[:4]]), Parzen(MIXED, x[order[4:]])
    drawn = good.sample(generator(0), 24)
    expected = drawn[np.argmax(good.log_density(drawn) - others.log_density(drawn))]
    assert np.array_equal(suggest(MIXED, x, y), expected)


def test_the_last_point_of_a_space_is_found() -> None:
    points = MIXED.all_points()
    (last,) = MIXED.keys(points[-1:])

    def untried(some: Array) -> NDArray[np.bool_]:
        return np.array([key == last for key in MIXED.keys(some)], dtype=np.bool_)

    found = suggest(MIXED, points[:-1], np.arange(len(points) - 1), untried=untried)
    assert np.array_equal(found, points[-1])


def test_an_exhausted_space_gives_none() -> None:
    def untried(some: Array) -> NDArray[np.bool_]:
        return np.zeros(len(some), dtype=np.bool_)

    assert suggest(MIXED, draws(MIXED, 9), np.arange(9), untried=untried) is None
    huge = encoding(a=("int_uniform", {"min": 0, "max": 10**9}))
    assert suggest(huge, draws(huge, 9), np.arange(9), untried=untried) is None


def test_what_is_left_of_a_space_too_large_to_list_is_found_by_even_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parzen, "MOST_LISTED", 10)
    space = encoding(
        a=("categorical_w_probabilities", {"values": ["a", "b"], "probabilities": [1 - 1e-9, 1e-9]}), b=STEPS
    )
    x = space.from_unit(generator(1).random((50, 2)) * [0.5, 1])

    def untried(some: Array) -> NDArray[np.bool_]:
        return some[:, 0] == 1

    found = suggest(space, x, np.arange(50), untried=untried)
    assert found is not None
    assert found[0] == 1


def test_a_space_of_constants_has_one_point() -> None:
    space = encoding(a=("constant", {"value": 1}))
    assert suggest(space, np.empty((0, 0)), []) is not None
