from __future__ import annotations

import pytest

from besom.search import METHODS, make_searcher
from besom.search.grid_search import GridSearch
from besom.search.random_search import RandomSearch
from besom.search.sobol_search import SobolSearch
from besom.space import Parameter, SearchSpace, make_distribution

SPACE = SearchSpace([Parameter(("a",), make_distribution("int_uniform", {"min": 1, "max": 9}))])


def test_the_methods_are_known_by_their_names_in_sweep_files() -> None:
    blind = {"grid": GridSearch, "random": RandomSearch, "sobol": SobolSearch}
    assert {name: METHODS[name] for name in blind} == blind


def test_an_option_reaches_the_method_that_heeds_it() -> None:
    shuffled = make_searcher("grid", SPACE, seed=1, order="shuffled")
    assert shuffled.ask(0, []) == GridSearch(SPACE, seed=1, order="shuffled").ask(0, [])
    assert make_searcher("random", SPACE, seed=1, allow_repeats=True).size() is None


def test_an_option_of_another_method_is_left_aside() -> None:
    assert make_searcher("grid", SPACE, seed=1, allow_repeats=True).size() == 9
    assert make_searcher("random", SPACE, seed=1, order="shuffled").size() == 9


def test_an_unknown_method_is_told_which_there_are() -> None:
    with pytest.raises(ValueError) as caught:
        make_searcher("bays", SPACE, seed=1)
    assert str(caught.value) == f"there is no method 'bays': write one of {', '.join(METHODS)}"


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="`seed` must be 0 or larger, not -1"):
        make_searcher("random", SPACE, seed=-1)
