"""What a sweep config means, worked out before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from besom.command import JSON_FILE_MACRO, Unexpanded, expand
from besom.metric import Metric
from besom.search import make_searcher
from besom.space import Distribution
from besom.stopping import Stopper, make_stoppers
from besom.sweep_config.config import SweepConfig
from besom.sweep_config.problems import Problem

SAMPLES = 5
RUNGS = 8
# What 64 bits can count; larger spaces are shown as this large.
MOST_POINTS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """One parameter of the resolved space; ``size``: how many values it can take, None: no end."""

    name: str
    distribution: str
    bounds: str
    scale: str
    size: int | None


@dataclass(frozen=True, slots=True)
class Meaning:
    """The facts of `wire.sweeps.CheckAnswer`, field for field: ``msgspec.convert(…, from_attributes=True)`` fits."""

    method: str
    metric: Metric | None
    parameters: tuple[ParameterRow, ...]
    grid_size: int | None
    samples: tuple[dict[str, Any], ...]
    command: tuple[str, ...]
    rungs: tuple[int, ...]
    stopping: tuple[str, ...]
    notes: tuple[Problem, ...]


def check(config: SweepConfig, rng: np.random.Generator) -> Meaning:
    """The resolved space, the first five params, the first command line, the first rungs.

    ``rng`` gives the seed when the config has none. ``${envvar:…}``, a missing program and the file of params stay
    unexpanded in the command line.
    """
    seed = config.seed if config.seed is not None else int(rng.integers(2**32))
    on_grid = config.method == "grid"
    samples = _samples(config, seed)
    points = config.space.grid_size() if on_grid else config.space.finite_size()
    stoppers = [] if config.metric is None else make_stoppers(config.early_terminate, config.metric)
    return Meaning(
        method=config.method,
        metric=config.metric,
        parameters=tuple(
            ParameterRow(
                each.name,
                each.distribution.kind,
                each.distribution.bounds_text(),
                each.distribution.scale,
                _size(each.distribution, on_grid),
            )
            for each in config.space.parameters
        ),
        grid_size=None if points is None else min(points, MOST_POINTS),
        samples=samples,
        command=tuple(_command(config, samples[0])) if samples else (),
        rungs=tuple(_rungs(stoppers)),
        stopping=tuple(stopper.explain() for stopper in stoppers),
        notes=config.notes,
    )


def _size(distribution: Distribution, on_grid: bool) -> int | None:
    values = distribution.grid_values() if on_grid else distribution.finite_values()
    return None if values is None else len(values)


def _samples(config: SweepConfig, seed: int) -> tuple[dict[str, Any], ...]:
    searcher = make_searcher(
        config.method, config.space, seed=seed, order=config.order, allow_repeats=config.allow_repeats
    )
    samples: list[dict[str, Any]] = []
    # The earlier ones count as under way: without them a method that looks at results would give one point five times.
    while len(samples) < SAMPLES and (params := searcher.ask(len(samples), samples)) is not None:
        samples.append(dict(params))
    return tuple(samples)


def _command(config: SweepConfig, params: Mapping[str, Any]) -> list[str]:
    return expand(
        config.command,
        program=config.program or "${program}",
        params=params,
        environ=Unexpanded(),
        json_file=JSON_FILE_MACRO,
    )


def _rungs(stoppers: Iterable[Stopper]) -> list[int]:
    """The first counts of values at which runs are compared."""
    rungs: set[int] = set()
    for stopper in stoppers:
        if stopper.compares is not None and stopper.ladder.resource is None:
            rungs.update(stopper.ladder.first(RUNGS))
    return sorted(rungs)[:RUNGS]
