from __future__ import annotations

import math
from typing import Any

import pytest

from besom.search import Observation, Suggestion, make_searcher
from besom.search.first_points import first_points
from besom.search.tpe_search import TpeSearch
from besom.space import Parameter, SearchSpace, make_distribution, params_hash
from besom.space.encoding import Encoding


def space(**parameters: tuple[str, dict[str, Any]]) -> SearchSpace:
    return SearchSpace([Parameter((name,), make_distribution(kind, how)) for name, (kind, how) in parameters.items()])


LR = ("log_uniform_values", {"min": 1e-5, "max": 1e-1})
LAYERS = ("int_uniform", {"min": 1, "max": 6})
NAME = ("categorical", {"values": ["sgd", "adam", "lion"]})
MIXED = space(lr=LR, layers=LAYERS, name=NAME, epochs=("constant", {"value": 9}))
SMALL = space(layers=LAYERS, name=NAME)


def loss(params: Any) -> float:
    far = abs(math.log10(params.get("lr", 1e-3)) + 3) + 0.2 * abs(params["layers"] - 3)
    return far + ["adam", "lion", "sgd"].index(params["name"])


def played(searcher: TpeSearch, count: int, start: int = 0, state: str = "finished") -> list[Suggestion]:
    """Runs one after another, told as they end."""
    made: list[Suggestion] = []
    for number in range(start, start + count):
        suggestion = searcher.suggest(number, [])
        if suggestion is None:
            break
        made.append(suggestion)
        searcher.tell(Observation(number, suggestion.params, loss(suggestion.params), state))
    return made


def test_the_first_runs_are_the_first_points() -> None:
    encoding = Encoding(MIXED)
    made = played(TpeSearch(MIXED, seed=4), 6)
    assert [each.params for each in made[:5]] == [encoding.decode(x) for x in first_points(encoding, 4)]
    assert [each.info.source for each in made] == ["initial"] * 5 + ["parzen"]


def test_agents_that_ask_at_once_get_the_first_points_too() -> None:
    searcher, encoding = TpeSearch(MIXED, seed=4), Encoding(MIXED)
    pending: list[Any] = []
    for number in range(7):
        suggestion = searcher.suggest(number, pending)
        assert suggestion is not None
        assert suggestion.info.source == ("initial" if number < 5 else "parzen")
        pending.append(suggestion.params)
    assert pending[:5] == [encoding.decode(x) for x in first_points(encoding, 4)]
    assert len({params_hash(params) for params in pending}) == 7


def test_prior_runs_count_as_first_ones() -> None:
    searcher = TpeSearch(MIXED, seed=4)
    for number, suggestion in enumerate(played(TpeSearch(MIXED, seed=8), 5)):
        searcher.tell(Observation(number - 5, suggestion.params, loss(suggestion.params), "finished"))
    suggestion = searcher.suggest(0, [])
    assert suggestion is not None
    assert suggestion.info.source == "parzen"
    assert suggestion.info.seen == (-5, -4, -3, -2, -1)


def test_it_finds_better_runs_than_random_draws() -> None:
    best, random_best = [], []
    for seed in range(5):
        best.append(min(loss(each.params) for each in played(TpeSearch(MIXED, seed=seed), 50)))
        random = make_searcher("random", MIXED, seed=seed)
        random_best.append(min(loss(random.ask(number, [])) for number in range(50)))
    assert sum(best) < 0.5 * sum(random_best)


def test_a_finite_space_is_gone_through_without_repeats_and_then_ends() -> None:
    searcher = TpeSearch(SMALL, seed=1)
    made = played(searcher, 100)
    assert len(made) == 18 == len({params_hash(each.params) for each in made})
    assert searcher.ask(18, []) is None
    assert searcher.ask(3, []) is None


def test_failed_and_pending_points_do_not_come_again() -> None:
    searcher = TpeSearch(SMALL, seed=1)
    failed = [each.params for each in played(searcher, 9, state="failed")]
    pending: list[Any] = []
    while (params := searcher.ask(len(failed) + len(pending), pending)) is not None:
        pending.append(params)
    assert len({params_hash(params) for params in failed + pending}) == 18 == len(failed + pending)


def test_with_repeats_it_does_not_end() -> None:
    searcher = TpeSearch(SMALL, seed=1, allow_repeats=True)
    made = played(searcher, 40)
    assert len(made) == 40
    assert searcher.size() is None
    assert len({params_hash(each.params) for each in made[:5]}) == 5


def test_the_answer_does_not_depend_on_the_order_of_what_was_told() -> None:
    runs = [Observation(n, each.params, loss(each.params), "finished") for n, each in enumerate(made(20))]
    pending = [each.params for each in made(24)[20:]]
    one, other = TpeSearch(MIXED, seed=2), TpeSearch(MIXED, seed=2)
    for run in runs:
        one.tell(run)
    for run in runs[::-1]:
        other.tell(run)
    assert one.suggest(30, pending) == other.suggest(30, pending[::-1])


def made(count: int) -> list[Suggestion]:
    return played(TpeSearch(MIXED, seed=0), count)


def test_runs_under_way_may_be_told_given_or_both() -> None:
    told, given, both = (TpeSearch(MIXED, seed=2) for _ in range(3))
    suggestions = made(12)
    for searcher in (told, given, both):
        for number, each in enumerate(suggestions[:10]):
            searcher.tell(Observation(number, each.params, loss(each.params), "finished"))
    pending = [each.params for each in suggestions[10:]]
    for searcher in (told, both):
        for number, params in enumerate(pending, 10):
            searcher.tell(Observation(number, params, None, "running"))
    answer = told.suggest(12, [])
    assert answer is not None
    assert answer.info.seen == tuple(range(12))
    assert answer == both.suggest(12, pending)
    assert answer.params == given.ask(12, pending)


def test_what_a_run_under_way_has_reached_does_not_matter() -> None:
    one, other = TpeSearch(MIXED, seed=2), TpeSearch(MIXED, seed=2)
    for searcher, value in ((one, None), (other, -99.0)):
        played(searcher, 8)
        searcher.tell(Observation(8, made(9)[8].params, value, "running"))
    assert one.ask(9, []) == other.ask(9, [])


def test_a_number_told_again_replaces_what_was_told() -> None:
    once, twice = TpeSearch(MIXED, seed=2), TpeSearch(MIXED, seed=2)
    for number, each in enumerate(made(12)):
        twice.tell(Observation(number, each.params, -loss(each.params), "running"))
        for searcher in (once, twice):
            searcher.tell(Observation(number, each.params, loss(each.params), "finished"))
    assert once.suggest(12, []) == twice.suggest(12, [])


@pytest.mark.parametrize("state", ["failed", "crashed"])
def test_a_failed_run_is_the_worst_whatever_it_had_reached(state: str) -> None:
    reached, nothing, lost = (TpeSearch(MIXED, seed=2) for _ in range(3))
    for number, each in enumerate(made(20)):
        fails = number % 3 == 0
        value = loss(each.params)
        reached.tell(Observation(number, each.params, -1.0 if fails else value, state if fails else "finished"))
        nothing.tell(Observation(number, each.params, None if fails else value, state if fails else "finished"))
        lost.tell(Observation(number, each.params, math.nan if fails else value, "finished"))
    assert reached.suggest(20, []) == nothing.suggest(20, []) == lost.suggest(20, [])


@pytest.mark.parametrize("state", ["stopped", "killed"])
def test_a_run_that_was_stopped_counts_with_its_value(state: str) -> None:
    one, other = TpeSearch(MIXED, seed=2), TpeSearch(MIXED, seed=2)
    for number, each in enumerate(made(20)):
        one.tell(Observation(number, each.params, loss(each.params), "finished"))
        other.tell(Observation(number, each.params, loss(each.params), state if number % 2 else "finished"))
    assert one.suggest(20, []) == other.suggest(20, [])


def test_runs_of_other_spaces_do_no_harm() -> None:
    searcher = TpeSearch(MIXED, seed=2)
    for number, each in enumerate(made(8)):
        searcher.tell(Observation(number, each.params, loss(each.params), "finished"))
    strange: list[dict[str, Any]] = [
        {"lr": 5.0, "layers": 99, "name": "sgd"},
        {"lr": 1e-3, "layers": 2, "name": "rmsprop"},
        {"lr": "fast", "layers": 2, "name": "sgd"},
        {"layers": 2},
    ]
    for number, params in enumerate(strange, 8):
        searcher.tell(Observation(number, params, 1.0, "finished"))
    suggestion = searcher.suggest(12, strange)
    assert suggestion is not None
    assert MIXED.contains(suggestion.params)
    assert suggestion.info.seen == tuple(range(10))
    assert suggestion.info.warnings == ("left out, as they lack a value of a parameter: 2 of the runs",)


def test_a_space_of_constants_has_one_run() -> None:
    searcher = TpeSearch(space(a=("constant", {"value": [1, 2]})), seed=0)
    assert searcher.size() == 1
    assert searcher.ask(0, []) == {"a": [1, 2]}
    searcher.tell(Observation(0, {"a": [1, 2]}, 1.0, "finished"))
    assert searcher.ask(1, []) is None
