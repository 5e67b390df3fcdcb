"""How many runs a search needs, beside its peers: one script, started like this from anywhere::

    python3 bench/search --out FOLDER                             # every engine, function and seed: days
    python3 bench/search --out FOLDER --quick                     # a part of it: about twenty minutes on two cores
    python3 bench/search --out FOLDER --engines besom-bayes,optuna-tpe --functions crash --seeds 100-102
    python3 bench/search --out FOLDER --parallel 8                # eight runs at a time
    python3 bench/search --out FOLDER --only time                 # what a suggestion costs
    python3 bench/search --out FOLDER --table                     # only print what is there
    python3 bench/search --list

Virtual environments for Besom (this tree, as it is) and its peers (pinned versions) are made in FOLDER with pip when
they are first needed. Each finished search is a JSON line in FOLDER/results (`--results`); the next start skips what is
there, so it may be ended at any time. `--stale` takes searches again that Besom's code of another day has made. An
engine that cannot be installed, or fails, is reported, and the others go on. Engines run one at a time, each in a
process of its own with one thread.
"""

from __future__ import annotations

import argparse
import itertools
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from asker import Asker, EngineFailed
from common.environments import ROOT, Environments
from engines import ENGINES
from functions import FUNCTIONS
from report import report
from results import Key, Results
from searching import search
from timing import COUNTS, take_time

QUICK = {
    "engines": ["besom-bayes", "besom-tpe", "besom-random", "optuna-tpe", "sweeps"],
    "functions": ["hartmann6", "rosen_mixed", "conditional", "crash", "small"],
    "seeds": [100, 101, 102],
}
WHOLE = {"engines": list(ENGINES), "functions": list(FUNCTIONS), "seeds": list(range(100, 110))}
BEGIN, END = "<!-- search figures -->\n", "<!-- end of search figures -->\n"


def main() -> int:
    options = arguments()
    if options.list:
        for name, engine in ENGINES.items():
            print(f"{name:14s} {engine.title}")
        for name, function in FUNCTIONS.items():
            print(f"{name:16s} {len(function.parameters)} parameters")
        return 0
    if options.out is None:
        print("bench/search: say where to keep environments and results: --out FOLDER", file=sys.stderr)
        return 2
    results = Results(options.results or options.out / "results")
    failed = [] if options.table else Searching(options, results).take_all()
    text = report(results)
    print(text, end="")
    if options.page is not None:
        write_into(options.page, text)
    for line in failed:
        print(f"bench/search: not done: {line}", file=sys.stderr)
    return 1 if failed else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench/search", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", type=_folder, metavar="FOLDER", help="where environments and results go")
    add("--results", type=_folder, metavar="FOLDER", help="where results go instead")
    add("--besom", type=_folder, default=ROOT, metavar="PLACE", help="source tree, or a Python that has Besom")
    add("--only", type=_some(("regret", "time")), default=["regret", "time"], metavar="NAME,…", help="regret, time")
    add("--engines", type=_some(ENGINES), metavar="NAME,…", help="these only; see --list")
    add("--functions", type=_some(FUNCTIONS), metavar="NAME,…", help="these only; see --list")
    add("--seeds", type=_seeds, metavar="N-N", help="default: 100-109")
    add("--parallel", type=int, choices=(1, 8), default=1, help="runs at a time (default 1)")
    add("--quick", action="store_true", help="few engines, functions and seeds")
    add("--stale", action="store_true", help="take again what another state of Besom's code has found")
    add("--table", action="store_true", help="search nothing, print what is there")
    add("--page", type=Path, metavar="FILE", help="also put the tables into this page, between its marks")
    add("--list", action="store_true", help="name the engines and functions")
    options = parser.parse_args()
    for name, default in (QUICK if options.quick else WHOLE).items():
        if getattr(options, name) is None:
            setattr(options, name, default)
    return options


def _folder(text: str) -> Path:
    return Path(text).absolute()


def _some(known: Any) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        found = text.split(",")
        if unknown := [name for name in found if name not in known]:
            raise argparse.ArgumentTypeError(f"there is no {', '.join(unknown)}: there are {', '.join(known)}")
        return found

    return read


def _seeds(text: str) -> list[int]:
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


class Searching:
    """All that is asked for and not there yet."""

    def __init__(self, options: argparse.Namespace, results: Results) -> None:
        self._options = options
        self._results = results
        self._environments = Environments(options.out / "environments", options.besom)
        self._broken: dict[str, str] = {}
        self._failed: list[str] = []

    def take_all(self) -> list[str]:
        """Does it; returns what failed, with the reason."""
        # Ended from outside: what was started ends too.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
        if "regret" in self._options.only:
            for key in self._missing_searches():
                self._search(key)
        if "time" in self._options.only:
            there = self._results.times()
            for engine, runs in itertools.product(self._options.engines, COUNTS):
                if self._is_due(engine, there.get((engine, runs))):
                    self._take_time(engine, runs)
        return self._failed

    def _missing_searches(self) -> Iterator[Key]:
        """Seed by seed, so that what there is after some time is about all engines and functions."""
        there, chosen = self._results.searches(), self._options
        for seed, function, engine in itertools.product(chosen.seeds, chosen.functions, chosen.engines):
            key = Key(engine, function, seed, chosen.parallel)
            if self._is_due(engine, there.get(key)):
                yield key

    def _is_due(self, engine: str, found: Mapping[str, Any] | None) -> bool:
        if found is None:
            return True
        return self._options.stale and ENGINES[engine].environment == "besom" and found["version"] != self._version

    @property
    def _version(self) -> str:
        """The state of Besom's code, as its program tells it."""
        if not hasattr(self, "_told_version"):
            with Asker(self._python("besom-random"), ENGINES["besom-random"].program) as asker:
                self._told_version = asker.start(FUNCTIONS["branin"].config, 0, "random", 1)["version"]
        return str(self._told_version)

    def _search(self, key: Key) -> None:
        engine, function = ENGINES[key.engine], FUNCTIONS[key.function]
        name = f"{key.engine} on {key.function}, seed {key.seed}, {key.parallel} at a time"
        found = self._asked(
            key.engine, name, lambda asker: search(asker, function, key.seed, engine.method, key.parallel)
        )
        if found is not None:
            self._results.add_search(key, found)

    def _take_time(self, engine: str, runs: int) -> None:
        method = ENGINES[engine].method
        found = self._asked(engine, f"{engine}, time at {runs}", lambda asker: take_time(asker, method, runs))
        if found is not None:
            self._results.add_time(engine, runs, found)

    def _asked(self, engine: str, name: str, take: Callable[[Asker], dict[str, Any]]) -> dict[str, Any] | None:
        """What a fresh process of the engine finds; None if it fails."""
        try:
            with Asker(self._python(engine), ENGINES[engine].program) as asker:
                found = take(asker)
        except EngineFailed as error:
            self._failed.append(f"{name}: {error}")
            say(f"{name} FAILED: {error}")
            return None
        say(f"{name}: {found.get('cpu_s', found.get('ask_cpu_s')):.3g} s")
        return found

    def _python(self, engine: str) -> Path:
        chosen = ENGINES[engine]
        if chosen.environment in self._broken:
            raise EngineFailed(self._broken[chosen.environment])
        try:
            if chosen.environment == "besom":
                return self._environments.besom()
            return self._environments.holding(chosen.environment, chosen.packages)
        except (RuntimeError, subprocess.SubprocessError) as error:
            self._broken[chosen.environment] = " ".join(str(error).split())[-300:]
            raise EngineFailed(self._broken[chosen.environment]) from error


def write_into(page: Path, text: str) -> None:
    """Puts the tables between the marks of a Markdown page."""
    whole = page.read_text(encoding="utf-8")
    before, begin, rest = whole.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"bench/search: {page} has no {BEGIN.strip()} and {END.strip()}, each in a line of its own")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
