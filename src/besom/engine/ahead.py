"""Params that are chosen before an agent asks, by a process that is told everything it needs and keeps nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from msgspec import Struct

from besom.engine.suggesting import for_people, make_sweep_searcher, untried_draws
from besom.metric import Metric
from besom.search import ModelSearcher, Observation, Params, SearchInfo, make_searcher
from besom.space import SearchSpace, params_hash
from besom.sweep_config import SweepConfig


class Ready(Struct, frozen=True):
    """Params for draw ``number``; None: the space is exhausted.

    ``info`` is that of the search as it is stored, see `told`. ``finished_seen``: how many runs of the sweep had ended
    when it was made.
    """

    number: int
    params: Mapping[str, Any] | None
    params_hash: str | None
    info: Mapping[str, Any]
    finished_seen: int


class Task(Struct, frozen=True):
    """What a search needs for some draws: ``config`` is the sweep's as it is stored.

    ``pending`` are points besides those of the observations that must not be chosen again.
    """

    sweep_id: int
    config: Any
    seed: int
    numbers: Sequence[int]
    observations: Sequence[Observation]
    pending: Sequence[Params]
    finished_seen: int


class Drawn(Struct, frozen=True):
    """What the search has answered for a draw. Values of ``info`` are losses, its runs numbers."""

    number: int
    params: Params | None
    params_hash: str | None
    info: SearchInfo


def carry_out(task: Task, config: SweepConfig, out_of_time: Callable[[], bool] = lambda: False) -> Iterator[Drawn]:
    """The draws of a task in order; the last one has no params when the space is exhausted before all are made."""
    searcher = cast(ModelSearcher, make_sweep_searcher(config, task.seed))
    for observation in task.observations:
        searcher.tell(observation)
    pending = list(task.pending)
    for number in task.numbers:
        suggestion = searcher.suggest(number, pending, out_of_time)
        if suggestion is None:
            yield Drawn(number, None, None, SearchInfo("exhausted"))
            return
        yield Drawn(number, suggestion.params, _hash(searcher.size(), suggestion.params), suggestion.info)
        pending.append(suggestion.params)


def by_chance(
    space: SearchSpace, seed: int, number: int, size: int | None, tried: Callable[[str], bool], why: str
) -> Drawn:
    """A random draw in the place of one that a model should have made; on a finite space none that was tried.

    ``size`` is the sweep's: None if points may come again.
    """
    searcher = make_searcher("random", space, seed=seed)
    info = SearchInfo("random", warnings=(why,))
    if size is None:
        params = searcher.ask(number, [])
        return Drawn(number, params, None, info)
    params = next(untried_draws(searcher, number, size, tried), None)
    return Drawn(number, params, _hash(size, params), SearchInfo("exhausted") if params is None else info)


def _hash(size: int | None, params: Params | None) -> str | None:
    return None if size is None or params is None else params_hash(params)


def told(info: SearchInfo, metric: Metric | None, name: Callable[[int], str | None]) -> dict[str, Any]:
    """Why params were chosen, as it is stored: the value in the metric's own unit, the best run by its name.

    ``seen`` becomes stretches of draws that follow each other, ``[first, last]``, and runs that were not drawn count
    in ``others_seen``.
    """
    found = for_people(info, metric, name)
    found["seen"] = stretches(sorted(number for number in info.seen if number >= 0))
    found["others_seen"] = sum(number < 0 for number in info.seen)
    return found


def stretches(numbers: Sequence[int]) -> list[list[int]]:
    """Rising numbers as ``[first, last]`` of those that follow each other."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found
