"""What every method that looks at results must obey besides: the next run depends on all runs, and on nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from besom.search import METHODS, ModelSearcher, Observation, Suggestion, make_searcher
from besom.search.methods import looks_at_results
from besom.space import Parameter, SearchSpace, make_distribution, params_hash

Space = Callable[[], SearchSpace]
METHODS_THAT_LOOK = [name for name in METHODS if looks_at_results(name)]
every_method = pytest.mark.parametrize("method", METHODS_THAT_LOOK)


def _space(**parameters: tuple[str, dict[str, Any]]) -> SearchSpace:
    return SearchSpace(
        [Parameter(tuple(name.split("__")), make_distribution(kind, how)) for name, (kind, how) in parameters.items()]
    )


def mixed() -> SearchSpace:
    return _space(
        lr=("log_uniform_values", {"min": 1e-5, "max": 0.1}),
        opt__name=("categorical", {"values": ["sgd", "adam", None, True, 1.5]}),
        opt__momentum=("beta", {"a": 2, "b": 5}),
        width=("q_log_uniform_values", {"min": 8, "max": 512, "q": 8}),
        batch=("categorical", {"values": [16, 32, 64, 128]}),
        offset=("q_normal", {"mu": 0, "sigma": 2, "q": 0.5}),
        epochs=("constant", {"value": 5}),
    )


def small() -> SearchSpace:
    return _space(
        a=("int_uniform", {"min": 1, "max": 3}),
        b=("categorical_w_probabilities", {"values": ["x", "y", "z"], "probabilities": [0.98, 0.02, 0.0]}),
        c=("categorical", {"values": [1, True, "1"]}),
    )


def one_point() -> SearchSpace:
    return _space(a=("constant", {"value": {"b": [None, 1.5]}}), c=("categorical", {"values": ["only"]}))


def huge() -> SearchSpace:
    return _space(a=("int_uniform", {"min": 0, "max": 2**40}), b=("int_uniform", {"min": -5, "max": 2**50}))


every_space = pytest.mark.parametrize("space", [mixed, small, one_point, huge])


def make(method: str, space: Space, seed: int = 3, **options: Any) -> ModelSearcher:
    searcher: Any = make_searcher(method, space(), seed=seed, **options)
    return searcher


def loss_of(params: Any) -> float:
    """A number for any params, the same for the same ones."""
    return int(params_hash(params)[:8], 16) / 16**8


def lived(searcher: ModelSearcher, count: int, loss: Callable[[int, Any], float | None] = lambda _, p: loss_of(p),
          state: Callable[[int], str] = lambda _: "finished") -> list[Suggestion]:  # fmt: skip
    """Runs one after another, each told when it has ended."""
    made: list[Suggestion] = []
    for number in range(count):
        suggestion = searcher.suggest(number, [])
        if suggestion is None:
            break
        made.append(suggestion)
        value = loss(number, suggestion.params)
        searcher.tell(Observation(number, suggestion.params, value, state(number)))
    return made


@every_method
@every_space
def test_suggestions_lie_in_the_space(method: str, space: Space) -> None:
    made = lived(make(method, space), 14)
    assert made
    assert all(space().contains(each.params) for each in made)


@every_method
@every_space
def test_a_rebuilt_searcher_goes_on_as_one_that_lived_on(method: str, space: Space) -> None:
    alive = make(method, space)
    states = ["finished", "failed", "stopped", "crashed", "finished", "killed"]
    runs: list[Observation] = []
    for number in range(14):
        pending = [run.params for run in runs if run.state == "running"]
        rebuilt = make(method, space)
        for run in runs:
            rebuilt.tell(run)
        suggestion = alive.suggest(number, pending)
        assert rebuilt.suggest(number, pending) == suggestion
        if suggestion is None:
            break
        runs.append(Observation(number, suggestion.params, None, "running"))
        alive.tell(runs[-1])
        if number % 3 == 2:
            # Two runs under way, and those before them end.
            for ended in range(number - 1):
                if runs[ended].state == "running":
                    value = None if ended % 4 == 1 else loss_of(runs[ended].params)
                    runs[ended] = Observation(ended, runs[ended].params, value, states[ended % 6])
                    alive.tell(runs[ended])


@every_method
def test_asking_changes_nothing_and_its_order_does_not_matter(method: str) -> None:
    searcher, other = make(method, mixed), make(method, mixed)
    runs = [Observation(n, s.params, loss_of(s.params), "finished") for n, s in enumerate(lived(searcher, 10))]
    for run in runs[::-1]:
        other.tell(run)
    asked = {number: searcher.suggest(number, []) for number in (10, 12, 11)}
    assert asked == {number: other.suggest(number, []) for number in (11, 10, 12)}
    assert searcher.suggest(10, []) == asked[10]
    assert searcher.ask(10, []) == asked[10].params  # type: ignore[union-attr]


@every_method
def test_another_seed_or_another_number_gives_other_params(method: str) -> None:
    made = [lived(make(method, mixed, seed=seed), 9)[-1].params for seed in range(3)]
    assert len({params_hash(params) for params in made}) == 3
    searcher = make(method, huge)
    lived(searcher, 9)
    assert len({params_hash(searcher.ask(number, []) or {}) for number in range(9, 19)}) > 1


@every_method
def test_a_finite_space_is_gone_through_once(method: str) -> None:
    searcher = make(method, small)
    made = lived(searcher, 100)
    assert len(made) == searcher.size() == 18 == len({params_hash(each.params) for each in made})
    assert searcher.suggest(18, []) is None
    assert searcher.ask(10**6, []) is None


@every_method
def test_points_under_way_are_not_given_again(method: str) -> None:
    searcher = make(method, small)
    lived(searcher, 6)
    pending: list[Any] = []
    while (params := searcher.ask(6 + len(pending), pending)) is not None:
        pending.append(params)
    assert len({params_hash(params) for params in pending}) == 12 == len(pending)


@every_method
def test_many_agents_get_different_points_from_the_beginning_on(method: str) -> None:
    for space in (mixed, huge):
        searcher = make(method, space)
        pending: list[Any] = []
        for number in range(12):
            pending.append(searcher.ask(number, pending))
        assert len({params_hash(params) for params in pending}) == 12


@every_method
def test_with_repeats_a_finite_space_has_no_end(method: str) -> None:
    searcher = make(method, small, allow_repeats=True)
    assert searcher.size() is None
    assert len(lived(searcher, 22)) == 22


@every_method
def test_all_values_of_a_space_are_reached(method: str) -> None:
    made = [each.params for each in lived(make(method, small), 100)]
    assert {each["a"] for each in made} == {1, 2, 3}
    assert {each["b"] for each in made} == {"x", "y"}
    assert {repr(each["c"]) for each in made} == {"1", "True", "'1'"}


SCALES: dict[str, Callable[[int, Any], float | None]] = {
    "all equal": lambda n, p: 1.0,
    "tiny": lambda n, p: 1e-300 * loss_of(p),
    "huge": lambda n, p: 1e300 * loss_of(p),
    "both": lambda n, p: 10.0 ** (600 * loss_of(p) - 300),
    "close": lambda n, p: 1e9 + 1e-7 * loss_of(p),
    "nan": lambda n, p: math.nan if n % 3 else loss_of(p),
    "infinite": lambda n, p: math.inf if n % 3 else -math.inf if n % 2 else loss_of(p),
    "none": lambda n, p: None,
    "one": lambda n, p: 0.5 if n == 4 else None,
    "largest": lambda n, p: float(np.finfo(float).max) * (1 if n % 2 else -1),
}


@every_method
@pytest.mark.parametrize("scale", SCALES)
def test_any_losses_give_valid_params(method: str, scale: str) -> None:
    made = lived(make(method, mixed), 13, SCALES[scale])
    assert len({params_hash(each.params) for each in made}) == 13
    assert all(mixed().contains(each.params) for each in made)


@every_method
@pytest.mark.parametrize("state", ["failed", "crashed", "killed"])
def test_where_all_runs_end_badly_the_search_goes_on(method: str, state: str) -> None:
    made = lived(make(method, mixed), 13, lambda n, p: None, lambda n: state)
    assert len({params_hash(each.params) for each in made}) == 13


@every_method
def test_runs_of_elsewhere_do_no_harm(method: str) -> None:
    searcher = make(method, mixed)
    lived(searcher, 8)
    strange: list[Any] = [
        {},
        {"lr": 1e9, "opt": {"name": "rmsprop", "momentum": -1}, "width": 9, "batch": 1000, "offset": 1e300},
        {"lr": "fast", "opt": 3},
        {**searcher.ask(8, []), "epochs": 99},  # type: ignore[dict-item]
    ]
    for number, params in enumerate(strange):
        searcher.tell(Observation(number - 9, params, 0.1, "finished"))
    suggestion = searcher.suggest(8, strange)
    assert suggestion is not None
    assert mixed().contains(suggestion.params)


@every_method
def test_the_runs_that_were_seen_are_told(method: str) -> None:
    searcher = make(method, mixed)
    lived(searcher, 9)
    searcher.tell(Observation(9, searcher.ask(9, []) or {}, None, "running"))
    searcher.tell(Observation(-1, {"lr": 1}, 1.0, "finished"))
    suggestion = searcher.suggest(10, [])
    assert suggestion is not None
    assert suggestion.info.seen == tuple(range(10))
    assert suggestion.info.warnings


@every_method
def test_the_first_suggestions_are_initial_ones(method: str) -> None:
    made = lived(make(method, mixed), 12)
    assert [each.info.source for each in made[:8]] == ["initial"] * 8
    assert "initial" not in [each.info.source for each in made[8:]]


@every_method
def test_a_thousand_runs_are_looked_at(method: str) -> None:
    searcher, rng = make(method, huge), np.random.default_rng(0)
    for number in range(1000):
        params = huge().sample(rng)
        searcher.tell(Observation(number, params, loss_of(params), "finished"))
    suggestion = searcher.suggest(1000, [])
    assert suggestion is not None
    assert len(suggestion.info.seen) == 1000
