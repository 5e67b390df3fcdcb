"""What Besom costs and how fast it is, beside its peers: one script, started like this from anywhere::

    python3 bench/overhead --out FOLDER                 # everything; about twenty minutes on two cores
    python3 bench/overhead --out FOLDER --only log,claims
    python3 bench/overhead --out FOLDER --again log     # measure that once more
    python3 bench/overhead --list

Virtual environments for Besom (this tree, as it is) and its peers (pinned versions) are made in FOLDER with pip when
they are first needed. Each finished measure is a file in FOLDER/results, with all samples and what the machine was; the
next start skips what is there, so it may be ended at any time. At the end, and with `--table` alone, the table of all
finished measures is printed. Contenders take turns, each sample is a fresh process, and medians are compared.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path
from typing import Any

from common.environments import PEERS, ROOT
from common.machine import facts, pin
from measures import MEASURES
from results import Results
from table import Line, table
from workbench import Workbench


def main() -> int:
    options = arguments()
    if options.list:
        for name, measure in MEASURES.items():
            print(f"{name:14s} {measure.TITLE}")
        return 0
    if options.out is None:
        print("bench/overhead: say where to keep environments and results: --out FOLDER", file=sys.stderr)
        return 2
    if options.page is not None and options.quick:
        print("bench/overhead: figures of --quick say nothing: no page is written", file=sys.stderr)
        return 2
    results = Results(options.out / ("results-quick" if options.quick else "results"))
    failed = [] if options.table else take_all(options, results)
    print(summary(results), end="")
    if options.page is not None:
        write_into(options.page, summary(results))
    if failed:
        print(f"bench/overhead: not measured: {', '.join(failed)}; start again to try once more", file=sys.stderr)
    return 1 if failed else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench/overhead", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out", type=lambda text: Path(text).absolute(), metavar="FOLDER", help="where everything goes"
    )
    parser.add_argument("--besom", type=lambda text: Path(text).absolute(), default=ROOT, metavar="PLACE",
                        help="source tree to measure, or a Python that has Besom (default: this tree)")  # fmt: skip
    parser.add_argument("--without", type=peers, default=[], metavar="PEER,…", help="leave out wandb, trackio, optuna")
    parser.add_argument("--only", type=names, default=list(MEASURES), metavar="NAME,…", help="these measures only")
    parser.add_argument("--again", type=names, default=[], metavar="NAME,…", help="take these although they are there")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="turns of each contender (default 3)")
    parser.add_argument("--cores", type=int, default=2, metavar="N", help="cores for everything (default 2)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that it works, says nothing of speed")
    parser.add_argument("--table", action="store_true", help="measure nothing, print what is there")
    parser.add_argument(
        "--page", type=Path, metavar="FILE", help="also put the table into this page, between its marks"
    )
    parser.add_argument("--list", action="store_true", help="name the measures")
    return parser.parse_args()


def names(text: str) -> list[str]:
    found = text.split(",")
    if unknown := [name for name in found if name not in MEASURES]:
        raise argparse.ArgumentTypeError(f"no measure is called {', '.join(unknown)}: see --list")
    return found


def peers(text: str) -> list[str]:
    found = text.split(",")
    if unknown := sorted(set(found) - set(PEERS)):
        raise argparse.ArgumentTypeError(f"no peer is called {', '.join(unknown)}: there are {', '.join(PEERS)}")
    return found


def take_all(options: argparse.Namespace, results: Results) -> list[str]:
    """Takes what is not there yet; returns the measures that failed."""
    pin(options.cores)
    # Ended from outside: what was started ends too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    bench = Workbench(options.out, options.besom, rounds=options.rounds, quick=options.quick, without=options.without)
    failed = []
    for name in dict.fromkeys([*options.again, *options.only]):
        if name in options.again:
            results.forget(name)
        if results.read(name) is not None:
            continue
        say(f"{name}: {MEASURES[name].TITLE} …")
        before, begun = facts(), time.monotonic()
        try:
            samples = MEASURES[name].take(bench)
        except Exception as error:
            # The others are worth having all the same.
            say(f"{name} FAILED: {type(error).__name__}: {error}")
            failed.append(name)
            continue
        took_s = round(time.monotonic() - begun, 1)
        results.write(name, {"before": before, "after": facts(), "took_s": took_s, "samples": samples})
        say(f"{name}: {took_s:.0f} s")
    return failed


def summary(results: Results) -> str:
    """The table of what is there, and what the machine was and did meanwhile."""
    lines: list[Line] = []
    looks: list[dict[str, Any]] = []
    for name, measure in MEASURES.items():
        if (found := results.read(name)) is not None:
            lines += measure.lines(found["samples"])
            looks += [found["before"], found["after"]]
    if not looks:
        return "Nothing is measured yet.\n"
    held = [line.held for line in lines if line.held is not None]
    loads = [look["load"] for look in looks]
    about = "{cores} cores ({processor}), {memory_gib} GiB, {system}, Python {python}".format(**looks[-1])
    days = sorted({look["when"][:10] for look in looks})
    return (
        f"{table(lines)}\n{sum(held)} of {len(held)} bars are held.\nMeasured on {about};\n"
        f"load of the machine {min(loads):.1f} to {max(loads):.1f}; {' and '.join(days)}.\n"
    )


def write_into(page: Path, text: str) -> None:
    """Puts the table between the marks of a Markdown page."""
    whole = page.read_text(encoding="utf-8")
    before, begin, rest = whole.partition("<!-- figures -->\n")
    _, end, after = rest.partition("<!-- end -->\n")
    if not begin or not end:
        raise SystemExit(f"bench/overhead: {page} has no <!-- figures --> and <!-- end -->, each in a line of its own")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
