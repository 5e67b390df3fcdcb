"""What every search method must obey that does not look at results."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from besom.search import METHODS, Observation, Searcher, make_searcher
from besom.search.methods import looks_at_results
from besom.space import Parameter, SearchSpace, make_distribution, params_hash

Space = Callable[[], SearchSpace]


def _space(*parameters: tuple[tuple[str, ...], str, dict[str, Any]]) -> SearchSpace:
    return SearchSpace([Parameter(path, make_distribution(kind, options)) for path, kind, options in parameters])


def finite() -> SearchSpace:
    return _space(
        (("batch_size",), "categorical", {"values": [32, 64, 128]}),
        (("epochs",), "constant", {"value": 5}),
        (("optimizer", "lr"), "q_uniform", {"min": 0, "max": 0.3, "q": 0.1}),
        (("optimizer", "name"), "categorical", {"values": ["sgd", "adam", "sgd"]}),
    )


def huge() -> SearchSpace:
    return _space(*[((name,), "int_uniform", {"min": 0, "max": 10**6}) for name in "abc"])


def single() -> SearchSpace:
    return _space((("a",), "constant", {"value": {"b": [None, 1.5]}}))


def infinite() -> SearchSpace:
    return _space(
        (("lr",), "log_uniform_values", {"min": 1e-5, "max": 0.1}),
        (("momentum",), "beta", {"a": 2, "b": 5}),
        (("width",), "q_normal", {"mu": 64, "sigma": 8, "q": 8}),
        (("seed",), "int_uniform", {"min": 0, "max": 2**32}),
    )


SPACES: dict[str, list[Space]] = {
    "grid": [finite, huge, single],
    "random": [finite, huge, single, infinite],
    "sobol": [finite, huge, single, infinite],
}
# Methods of which any draw can be made alone.
NUMBERED = {"grid", "random"}
CASES = [
    pytest.param(method, space, options, id=f"{method}-{space.__name__}" + "".join(f"-{key}" for key in options))
    for method, options in [
        ("grid", {}),
        ("grid", {"order": "shuffled"}),
        ("random", {}),
        ("random", {"allow_repeats": True}),
        ("sobol", {}),
        ("sobol", {"allow_repeats": True}),
    ]
    for space in SPACES[method]
]
every_case = pytest.mark.parametrize(("method", "space", "options"), CASES)


def draws(searcher: Searcher, count: int = 30) -> list[Any]:
    """The first draws, or all when there are fewer."""
    drawn: list[Any] = []
    while len(drawn) < count and (params := searcher.ask(len(drawn), [])) is not None:
        drawn.append(params)
    return drawn


def told(searcher: Searcher, drawn: list[Any]) -> Searcher:
    """The same searcher after it was told how some of the runs went."""
    states = ["finished", "failed", "crashed", "stopped", "killed"]
    for number, params in enumerate(drawn):
        state = states[number % len(states)]
        loss = float(number % 7) if number % 3 else None
        searcher.tell(Observation(number=number, params=params, loss=loss, state=state))
    return searcher


def test_every_method_stands_under_this_contract_or_looks_at_results() -> None:
    assert set(SPACES) == {name for name in METHODS if not looks_at_results(name)}


@every_case
def test_draws_lie_in_the_space(method: str, space: Space, options: dict[str, Any]) -> None:
    drawn = draws(make_searcher(method, space(), seed=3, **options))
    assert drawn
    assert all(space().contains(params) for params in drawn)


@every_case
def test_draws_survive_json(method: str, space: Space, options: dict[str, Any]) -> None:
    for params in draws(make_searcher(method, space(), seed=3, **options)):
        assert json.loads(json.dumps(params, allow_nan=False)) == params


@every_case
def test_the_same_seed_gives_the_same_draws(method: str, space: Space, options: dict[str, Any]) -> None:
    assert draws(make_searcher(method, space(), seed=3, **options)) == draws(
        make_searcher(method, space(), seed=3, **options)
    )


@every_case
def test_ask_changes_nothing(method: str, space: Space, options: dict[str, Any]) -> None:
    searcher = make_searcher(method, space(), seed=3, **options)
    fresh = draws(make_searcher(method, space(), seed=3, **options))
    backwards = [searcher.ask(number, []) for number in reversed(range(len(fresh)))]
    assert backwards == fresh[::-1]
    assert [searcher.ask(0, []) for _ in range(3)] == fresh[:1] * 3


@every_case
def test_a_rebuilt_searcher_goes_on_as_one_that_lived_on(method: str, space: Space, options: dict[str, Any]) -> None:
    alive = make_searcher(method, space(), seed=3, **options)
    drawn: list[Any] = []
    for number in range(12):
        params = alive.ask(number, drawn[-2:])
        rebuilt = told(make_searcher(method, space(), seed=3, **options), drawn)
        assert rebuilt.ask(number, drawn[-2:]) == params
        if params is None:
            break
        drawn.append(params)
        told(alive, [])
        alive.tell(Observation(number=number, params=params, loss=float(number), state="finished"))


@every_case
def test_several_agents_together_draw_what_one_draws(method: str, space: Space, options: dict[str, Any]) -> None:
    alone = draws(make_searcher(method, space(), seed=3, **options), 12)
    searcher = make_searcher(method, space(), seed=3, **options)
    pending: list[Any] = []
    for number in range(len(alone)):
        pending.append(searcher.ask(number, pending))
    assert pending == alone


@every_case
def test_asking_leaves_the_pending_params_alone(method: str, space: Space, options: dict[str, Any]) -> None:
    searcher = make_searcher(method, space(), seed=3, **options)
    pending = draws(searcher, 3)
    before = copy.deepcopy(pending)
    searcher.ask(3, pending)
    assert pending == before


@every_case
def test_size_is_the_number_of_draws(method: str, space: Space, options: dict[str, Any]) -> None:
    searcher = make_searcher(method, space(), seed=3, **options)
    size = searcher.size()
    if size is None:
        assert searcher.ask(10**7, []) is not None
        return
    # A method that passes over repeats knows a draw by those before it, which are too many on a huge space.
    if method in NUMBERED or size < 1000:
        assert searcher.ask(size - 1, []) is not None
    assert [searcher.ask(number, []) for number in (size, size + 1, size + 10**6)] == [None] * 3


@every_case
def test_a_finite_search_gives_no_point_twice(method: str, space: Space, options: dict[str, Any]) -> None:
    searcher = make_searcher(method, space(), seed=3, **options)
    drawn = draws(searcher)
    if searcher.size() is not None:
        assert len({params_hash(params) for params in drawn}) == len(drawn)


@every_case
def test_told_runs_do_not_bring_points_back(method: str, space: Space, options: dict[str, Any]) -> None:
    drawn = draws(make_searcher(method, space(), seed=3, **options), 6)
    assert draws(told(make_searcher(method, space(), seed=3, **options), drawn), 6) == drawn


@pytest.mark.parametrize("method", METHODS)
def test_every_method_names_the_sweep_keys_it_heeds(method: str) -> None:
    assert METHODS[method].options <= {"seed", "order", "allow_repeats"}
    assert "seed" in METHODS[method].options
