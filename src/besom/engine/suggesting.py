"""The search alone: from what is known of runs to the params of the next one, with no server and no sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from typing import Any, cast

from besom.engine.described_runs import DescribedRun, described_runs
from besom.engine.known_points import params_of
from besom.errors import UsageError
from besom.metric import Metric
from besom.search import ModelSearcher, Params, Searcher, SearchInfo, make_searcher
from besom.search.methods import looks_at_results
from besom.space import params_hash
from besom.sweep_config import SweepConfig, read_sweep_config


def suggest(
    config: Mapping[str, Any],
    runs: Sequence[Mapping[str, Any]] = (),
    seed: int | None = None,
    number: int | None = None,
) -> dict[str, Any]:
    """The params of the next run, from a sweep config and the runs so far. Needs no server, and keeps nothing.

    ``config`` is that of a sweep, with its method. Each run is a mapping with ``id``, ``config``, ``state``
    (``running``, ``finished``, ``stopped``, ``failed``, ``crashed``, ``killed``, ``preempted`` or ``queued``) and
    ``value``, its score in the metric's own unit; runs under way belong to it, so that none is suggested twice.
    ``history``, the values that it logged or the rows, tells more of a run that was stopped early. ``seed`` is that of
    the config, else 0. ``number`` is that of the draw, which fixes its random numbers: how many runs there are.

    Gives ``{"params": …, "info": …}``, in which ``info`` says how the params came about, in the metric's own unit, and
    names runs by their ids; ``{"params": None}`` when nothing is left. The same arguments give the same answer. The
    sweep's caps, target and stopping rules are not looked at.

    Raises SweepConfigError with all problems of the config, and UsageError for other mistakes.
    """
    read = read_sweep_config(config)
    known = described_runs(runs, read.metric)
    draw = _whole(number, "number", len(known))
    searcher = make_sweep_searcher(read, _whole(seed, "seed", read.seed or 0))
    if looks_at_results(read.method):
        return _by_model(cast(ModelSearcher, searcher), read, known, draw)
    params = _untried(searcher, read, known, draw)
    return {"params": None} if params is None else _answer(params, SearchInfo(read.method), read.metric, known)


def _whole(given: int | None, name: str, otherwise: int) -> int:
    if given is None:
        return otherwise
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise UsageError(f"`{name}` is a whole number from 0 on, not {given!r}")
    return given


def make_sweep_searcher(config: SweepConfig, seed: int) -> Searcher:
    """The searcher of a sweep with this config; raises UsageError for a space that its method cannot search."""
    try:
        return make_searcher(
            config.method, config.space, seed=seed, order=config.order, allow_repeats=config.allow_repeats
        )
    except ValueError as problem:
        raise UsageError(str(problem)) from None


def _by_model(searcher: ModelSearcher, config: SweepConfig, known: Sequence[DescribedRun], draw: int) -> dict[str, Any]:
    for run in known:
        searcher.tell(run.observation)
    suggestion = searcher.suggest(draw, [])
    if suggestion is None:
        return {"params": None}
    return _answer(suggestion.params, suggestion.info, config.metric, known)


def _untried(searcher: Searcher, config: SweepConfig, known: Sequence[DescribedRun], draw: int) -> Params | None:
    """The first draw from ``draw`` on that is none of the runs; on a finite space those before it come after."""
    size = searcher.size()
    if size is None:
        return searcher.ask(draw, [])
    points = (params_of(config.space, run.observation.params) for run in known)
    tried = {params_hash(point) for point in points if point is not None}
    return next(untried_draws(searcher, draw, size, tried.__contains__), None)


def untried_draws(searcher: Searcher, first: int, size: int, tried: Callable[[str], bool]) -> Iterator[Params]:
    """The draws of a finite space from ``first`` on, then those before it, whose hash was not tried."""
    for number in chain(range(first, size), range(min(first, size))):
        params = searcher.ask(number, [])
        if params is not None and not tried(params_hash(params)):
            yield params


def _answer(params: Params, info: SearchInfo, metric: Metric | None, known: Sequence[DescribedRun]) -> dict[str, Any]:
    told = for_people(info, metric, lambda number: known[number].id)
    told["seen"] = [known[number].id for number in info.seen]
    return {"params": dict(params), "info": told}


def for_people(info: SearchInfo, metric: Metric | None, name: Callable[[int], Any]) -> dict[str, Any]:
    """Why params were chosen: the value in the metric's unit in place of a loss, the best run by its ``name``."""
    told = asdict(info)
    if metric is not None and info.predicted_value is not None:
        told["predicted_value"] = metric.as_loss(info.predicted_value)
    told["best"] = None if info.best is None else name(info.best)
    told["warnings"] = list(info.warnings)
    return told
