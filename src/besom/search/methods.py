"""The search methods by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from besom.search.grid_search import GridSearch
from besom.search.random_search import RandomSearch
from besom.search.searcher import Searcher
from besom.space import SearchSpace

METHODS: Mapping[str, type[GridSearch | RandomSearch]] = {"grid": GridSearch, "random": RandomSearch}
"""Each class names the sweep keys that it heeds in ``options``."""


def make_searcher(
    method: str,
    space: SearchSpace,
    *,
    seed: int,
    order: Literal["sequential", "shuffled"] = "sequential",
    allow_repeats: bool = False,
) -> Searcher:
    """The searcher of a sweep; options that its method does not heed are left aside.

    Raises ValueError for an unknown method, a negative seed, or a space that the method cannot search.
    """
    if method not in METHODS:
        raise ValueError(f"there is no method {method!r}: write one of {', '.join(METHODS)}")
    if seed < 0:
        raise ValueError(f"`seed` must be 0 or larger, not {seed}")
    given: dict[str, Any] = {"seed": seed, "order": order, "allow_repeats": allow_repeats}
    chosen = METHODS[method]
    return chosen(space, **{name: value for name, value in given.items() if name in chosen.options})
