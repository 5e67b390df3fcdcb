"""What `bayes` shall hold, and whether it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from functions import FUNCTIONS
from regret import Ratio, Searches, against_best_peer, mean_ranks, overall, ratio

OURS = "besom-bayes"
MIXED = ("rosen_mixed", "conditional", "crash", "categorical")
# Peer → after how many runs → our regret as a share of the peer's, at most.
SHARES = {
    "besom-random": {25: 0.30, 50: 0.05, 100: 0.03},
    "sweeps": {25: 0.45, 50: 0.10, 100: 0.06},
    "optuna-tpe": {25: 0.70, 50: 0.20, 100: 0.15},
    "optuna-gp": {25: 1.0, 50: 0.60, 100: 0.60},
}
MIXED_SHARES = {"hebo": {25: 1.0, 50: 0.80}, "ax": {25: 1.0, 50: 0.80}}
TIMES = {50: 0.1, 100: 0.2, 1000: 0.5}


@dataclass(frozen=True)
class Verdict:
    """A figure and its bar."""

    what: str
    figure: str
    bar: str
    held: bool | None

    @property
    def cells(self) -> tuple[str, ...]:
        return (self.what, self.figure, self.bar, {True: "held", False: "**short**", None: ""}[self.held])


def is_peer(engine: str) -> bool:
    return not engine.startswith("besom-")


def shares(searches: Searches) -> Iterator[tuple[str, int, str, Ratio, float | None]]:
    """Engine, runs, which functions, ratio and its bar, for every engine that there is."""
    for engine in searches.engines():
        if engine == OURS:
            continue
        for runs in (25, 50, 100):
            found = ratio(searches.regrets(OURS, runs), searches.regrets(engine, runs))
            if found is not None:
                yield engine, runs, "all", found, SHARES.get(engine, {}).get(runs)
        for runs, bar in MIXED_SHARES.get(engine, {}).items():
            found = ratio(searches.regrets(OURS, runs, MIXED), searches.regrets(engine, runs, MIXED))
            if found is not None:
                yield engine, runs, "mixed and crash", found, bar


def verdicts(one: Searches, eight: Searches, times: Mapping[tuple[str, int], Mapping[str, Any]]) -> list[Verdict]:
    """Every bar but the shares, of what there is."""
    return [*_rank(one), *_worst(one), *_at_a_time(one, eight), *_small(one), *_crash(one), *_costs(times)]


def _rank(one: Searches) -> Iterator[Verdict]:
    for runs in (50, 100):
        ranks = mean_ranks(_complete(one, runs))
        if OURS in ranks and len(ranks) > 1:
            others = {engine: rank for engine, rank in ranks.items() if engine != OURS}
            best = min(others, key=lambda engine: others[engine])
            what = f"mean rank over functions among {len(ranks)} engines, {runs} runs"
            yield Verdict(what, f"{ranks[OURS]:.2f}", f"< {others[best]:.2f} ({best})", ranks[OURS] < others[best])


def _complete(searches: Searches, runs: int) -> dict[str, dict[str, dict[int, float]]]:
    """Of the engines that have searched all functions that ours has."""
    ours = searches.regrets(OURS, runs)
    found = {engine: searches.regrets(engine, runs) for engine in searches.engines()}
    return {engine: regrets for engine, regrets in found.items() if ours.keys() <= regrets.keys()}


def _worst(one: Searches) -> Iterator[Verdict]:
    peers = {engine: one.regrets(engine, 50) for engine in one.engines() if is_peer(engine)}
    found = against_best_peer(one.regrets(OURS, 50), peers)
    if found:
        name = max(found, key=lambda each: found[each][0] / found[each][2])
        ours, peer, theirs = found[name]
        what = f"worst function against its best peer, 50 runs, medians ({name}, {peer})"
        yield Verdict(what, f"{ours / theirs:.2f}", "≤ 2", ours / theirs <= 2)


def _at_a_time(one: Searches, eight: Searches) -> Iterator[Verdict]:
    found = ratio(eight.regrets(OURS, 100), one.regrets(OURS, 100))
    if found is not None:
        yield Verdict("8 at a time as a multiple of one at a time, 100 runs", interval(found), "≤ 2", found.value <= 2)
    for engine in filter(is_peer, eight.engines()):
        found = ratio(eight.regrets(OURS, 100), eight.regrets(engine, 100))
        if found is not None:
            what = f"8 at a time as a share of {engine} 8 at a time, 100 runs"
            yield Verdict(what, interval(found), "< 1", found.value < 1)


def _small(one: Searches) -> Iterator[Verdict]:
    lines = one.of(OURS, "small").values()
    if lines:
        fewest = min(line["distinct"] for line in lines)
        yield Verdict("`small`: distinct points in 120 runs, fewest", str(fewest), "120", fewest == 120)
        best = FUNCTIONS["small"].optimum
        firsts = sum(min(line["values"][:40]) <= best + 1e-6 for line in lines)
        what = f"`small`: optimum within 40 runs, of {len(lines)} seeds"
        yield Verdict(what, str(firsts), "≥ 9 of 10", firsts >= 0.9 * len(lines))


def _crash(one: Searches) -> Iterator[Verdict]:
    lines = one.of(OURS, "crash").values()
    if lines:
        share = fmean(value is None for line in lines for value in line["values"][20:])
        yield Verdict("`crash`: crashed after the 20th run", f"{share:.1%}", "≤ 20 %", share <= 0.2)
        left = median(one.regrets(OURS, 100, ["crash"])["crash"].values())
        yield Verdict("`crash`: regret after 100 runs, median", f"{left:.3f}", "≤ 0.02", left <= 0.02)


def _costs(times: Mapping[tuple[str, int], Mapping[str, Any]]) -> Iterator[Verdict]:
    for runs, bar in TIMES.items():
        if (found := times.get((OURS, runs))) is not None:
            what = f"CPU of a suggestion at {runs:,} runs, 10 parameters"
            yield Verdict(what, f"{found['ask_cpu_s']:.3f} s", f"≤ {bar} s", found["ask_cpu_s"] <= bar)
    slowest = max((max(line["asks_cpu_s"]) for (engine, _), line in times.items() if engine == OURS), default=None)
    if slowest is not None:
        yield Verdict("slowest suggestion of all measured", f"{slowest:.3f} s", "≤ 1.0 s", slowest <= 1.0)
    if (found := times.get((OURS, 1000))) is not None:
        yield Verdict("memory at 1,000 runs", f"{found['peak_mib']:.0f} MiB", "≤ 191 MiB", found["peak_mib"] <= 191)
        yield Verdict("start of Python and import", f"{found['start_cpu_s']:.2f} s", "≤ 1 s", found["start_cpu_s"] <= 1)


def interval(found: Ratio) -> str:
    return f"{found.value:.3g} ({found.low:.2g} to {found.high:.2g})"


def mean_regret(searches: Searches, engine: str, runs: int) -> str:
    """Over all functions; with a mark where some are missing."""
    regrets = searches.regrets(engine, runs)
    found = overall(regrets)
    return "" if found is None else f"{found:.3g}" + ("" if len(regrets) == len(FUNCTIONS) else " *")
