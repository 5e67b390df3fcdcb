"""The search methods by name."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from besom.search.searcher import Searcher
from besom.space import SearchSpace

# Name in a sweep file → where its class is.
_PLACES = {
    "grid": ("besom.search.grid_search", "GridSearch"),
    "random": ("besom.search.random_search", "RandomSearch"),
    "sobol": ("besom.search.sobol_search", "SobolSearch"),
    "tpe": ("besom.search.tpe_search", "TpeSearch"),
}
_MODELS = frozenset(["tpe"])


class _Methods(Mapping[str, type[Any]]):
    """Loads a class when it is looked up: models need SciPy, which the sweeps without one do without."""

    def __getitem__(self, name: str) -> type[Any]:
        module, inner = _PLACES[name]
        found: type[Any] = getattr(importlib.import_module(module), inner)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(_PLACES)

    def __len__(self) -> int:
        return len(_PLACES)

    def __contains__(self, name: object) -> bool:
        return name in _PLACES


METHODS: Mapping[str, type[Any]] = _Methods()
"""Each class is a `Searcher` and names the sweep keys that it heeds in ``options``; see also `looks_at_results`."""


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
    searcher: Searcher = chosen(space, **{name: value for name, value in given.items() if name in chosen.options})
    return searcher


def looks_at_results(method: str) -> bool:
    """True if what a method suggests depends on how runs went: then it is a `ModelSearcher`. Loads nothing."""
    return method in _MODELS
