"""Searches become regrets, and regrets of two engines a ratio with an interval."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean, median
from typing import Any

from functions import FUNCTIONS
from reference import reference_loss
from results import Key

FLOOR = 1e-3
# While every run has crashed there is no best run.
NOTHING_YET = 10.0
RESAMPLES = 1000
# Function → seed → regret.
Regrets = Mapping[str, Mapping[int, float]]


def normalised_regret(line: Mapping[str, Any], runs: int) -> float:
    """(loss of the best run so far − best loss) / (`reference_loss` − best loss), at least `FLOOR`.

    With noise the best run is the one that was seen as best, and it is judged without noise.
    """
    name = line["function"]
    function = FUNCTIONS[name]
    values, told = line["values"][:runs], line.get("told", line["values"])[:runs]
    pairs = [
        (function.loss(seen), function.loss(value))
        for seen, value in zip(told, values, strict=True)
        if value is not None
    ]
    if not pairs:
        return NOTHING_YET
    best = function.loss(function.optimum)
    return max(FLOOR, (min(pairs)[1] - best) / (reference_loss(name) - best))


class Searches:
    """All searches of one mode."""

    def __init__(self, searches: Mapping[Key, Mapping[str, Any]], parallel: int) -> None:
        self._lines = {key: line for key, line in searches.items() if key.parallel == parallel}

    def engines(self) -> list[str]:
        return sorted({key.engine for key in self._lines})

    def of(self, engine: str, function: str) -> dict[int, Mapping[str, Any]]:
        """Seed → search."""
        found = {k.seed: line for k, line in self._lines.items() if (k.engine, k.function) == (engine, function)}
        return dict(sorted(found.items()))

    def regrets(self, engine: str, runs: int, functions: Iterable[str] = FUNCTIONS) -> dict[str, dict[int, float]]:
        """Of the functions that the engine has searched; a search may have fewer runs, when nothing was left."""
        found = {name: self.of(engine, name) for name in functions}
        return {
            name: {seed: normalised_regret(line, runs) for seed, line in lines.items()}
            for name, lines in found.items()
            if lines
        }


@dataclass(frozen=True)
class Ratio:
    """A geometric mean with its 95 % interval, over so many functions and searches."""

    value: float
    low: float
    high: float
    functions: int
    searches: int


def geometric_mean(values: Iterable[float]) -> float:
    return math.exp(fmean(math.log(value) for value in values))


def overall(regrets: Regrets) -> float | None:
    """The geometric mean over seeds, then over functions."""
    means = [geometric_mean(by_seed.values()) for by_seed in regrets.values()]
    return geometric_mean(means) if means else None


def ratio(ours: Regrets, theirs: Regrets) -> Ratio | None:
    """How much of the other's regret is left, on the functions and seeds that both have searched.

    The interval is the percentile bootstrap: functions are drawn with replacement, and in each of them its seeds.
    """
    logs: list[list[float]] = []
    for name in sorted(ours.keys() & theirs.keys()):
        both = sorted(ours[name].keys() & theirs[name].keys())
        if both:
            logs.append([math.log(ours[name][seed] / theirs[name][seed]) for seed in both])
    if not logs:
        return None
    random = Random("bootstrap")
    means = sorted(_resampled(logs, random) for _ in range(RESAMPLES))
    low, high = means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES)]
    middle = fmean(map(fmean, logs))
    return Ratio(math.exp(middle), math.exp(low), math.exp(high), len(logs), sum(map(len, logs)))


def _resampled(logs: Sequence[Sequence[float]], random: Random) -> float:
    chosen = random.choices(logs, k=len(logs))
    return fmean(fmean(random.choices(seeds, k=len(seeds))) for seeds in chosen)


def mean_ranks(of: Mapping[str, Regrets]) -> dict[str, float]:
    """Engine → its mean rank (1 is best, ties share) by geometric mean, over the functions that all engines have."""
    if not of:
        return {}
    shared = set.intersection(*(set(regrets) for regrets in of.values()))
    ranks: dict[str, list[float]] = {engine: [] for engine in of}
    for name in sorted(shared):
        means = {engine: geometric_mean(regrets[name].values()) for engine, regrets in of.items()}
        for engine, mean in means.items():
            better = sum(other < mean for other in means.values())
            ranks[engine].append(better + (sum(other == mean for other in means.values()) + 1) / 2)
    return {engine: fmean(found) for engine, found in ranks.items() if found}


def against_best_peer(ours: Regrets, peers: Mapping[str, Regrets]) -> dict[str, tuple[float, str, float]]:
    """Function → median regret of ours, the peer with the smallest median, and that."""
    found = {}
    for name in ours:
        medians = {peer: median(regrets[name].values()) for peer, regrets in peers.items() if name in regrets}
        if medians:
            best = min(medians, key=lambda peer: medians[peer])
            found[name] = (median(ours[name].values()), best, medians[best])
    return found
