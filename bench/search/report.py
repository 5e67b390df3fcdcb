"""The tables of what there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from bars import OURS, interval, mean_regret, shares, verdicts
from engines import ENGINES
from functions import FUNCTIONS
from regret import Searches, geometric_mean, mean_ranks
from results import Results
from timing import COUNTS

WHAT = """Regret is what is left of random search: (loss of the best run − best possible loss) / (mean best loss of 25
random runs − best possible loss), at least 0.001; geometric means over seeds and functions. In brackets: 95 % of
bootstrap resamples of functions and of their seeds. A star: not all functions yet."""


def report(results: Results) -> str:
    """All tables in Markdown."""
    found = results.searches()
    one, eight = Searches(found, 1), Searches(found, 8)
    if not found and not results.times():
        return "Nothing is searched yet.\n"
    parts = [WHAT, "**Bars**", table(("", "Besom", "bar", ""), _bars(one, eight, results))]
    for title, searches in (("One run at a time", one), ("Eight runs at a time", eight)):
        if searches.engines():
            parts += [f"**{title}: regret**", _overall(searches), f"**{title}: by function, after 50 runs**"]
            parts += [
                _by_function(searches, 50),
                f"**{title}: by function, after 100 runs**",
                _by_function(searches, 100),
            ]
            parts += [f"**{title}: Besom `bayes` as a share of others**", _shares(searches)]
    parts += ["**What a suggestion costs** (ten parameters, CPU seconds, one thread)", _times(results)]
    states = sorted({line["version"] for key, line in found.items() if key.engine == OURS})
    parts.append(f"States of Besom's code behind `{OURS}`: {', '.join(states) or 'none'}.")
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *(["---:"] * (len(head) - 1))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _bars(one: Searches, eight: Searches, results: Results) -> Iterable[Sequence[str]]:
    for engine, runs, which, found, bar in shares(one):
        if bar is not None:
            verdict = "held" if found.value <= bar else "**short**"
            what = f"share of {engine}, {which} functions, {runs} runs ({found.functions} functions)"
            yield what, interval(found), f"≤ {bar:g}", verdict
    for verdict_ in verdicts(one, eight, results.times()):
        yield verdict_.cells


def _in_order(engines: Iterable[str]) -> list[str]:
    return sorted(engines, key=list(ENGINES).index)


def _overall(searches: Searches) -> str:
    engines = _in_order(searches.engines())
    ranks = {}
    for runs in (50, 100):
        of = {engine: searches.regrets(engine, runs) for engine in engines}
        ranks[runs] = mean_ranks({engine: regrets for engine, regrets in of.items() if len(regrets) == len(FUNCTIONS)})
    rows = []
    for engine in engines:
        seeds = [len(searches.of(engine, name)) for name in FUNCTIONS]
        cells = [mean_regret(searches, engine, runs) for runs in (25, 50, 100)]
        cells += [f"{ranks[runs][engine]:.2f}" if engine in ranks[runs] else "" for runs in (50, 100)]
        rows.append([ENGINES[engine].title, f"{min(seeds)} to {max(seeds)}", *cells])
    return table(("engine", "seeds", "25 runs", "50 runs", "100 runs", "rank at 50", "rank at 100"), rows)


def _by_function(searches: Searches, runs: int) -> str:
    engines = _in_order(searches.engines())
    regrets = {engine: searches.regrets(engine, runs) for engine in engines}
    rows = []
    for name in FUNCTIONS:
        cells = [regrets[engine].get(name) for engine in engines]
        rows.append([name, *(f"{geometric_mean(found.values()):.2g}" if found else "" for found in cells)])
    return table(("function", *engines), rows)


def _shares(searches: Searches) -> str:
    rows = [
        [engine, f"{runs}", which, interval(found), f"{found.functions}", f"{found.searches}"]
        for engine, runs, which, found, _ in shares(searches)
    ]
    return table(("against", "runs", "functions", "share", "functions", "searches"), rows)


def _times(results: Results) -> str:
    there = results.times()
    rows = []
    for engine in _in_order({engine for engine, _ in there}):
        asks = [there.get((engine, runs)) for runs in COUNTS]
        cells = [f"{found['ask_cpu_s']:.3g}" if found else "" for found in asks]
        last = [found for found in asks if found][-1]
        start = median(found["start_cpu_s"] for found in asks if found)
        rows.append([ENGINES[engine].title, *cells, f"{last['peak_mib']:.0f}", f"{start:.2f}"])
    return table(("engine", *(f"{runs:,} runs" for runs in COUNTS), "MiB at most", "start, s"), rows)
