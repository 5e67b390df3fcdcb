"""Runs handed out and ended a second, by many processes at once."""

from __future__ import annotations

import contextlib
import itertools
from functools import partial
from typing import Any

from common.figures import Medians, Sample
from common.postgres import Postgres
from table import Line
from workbench import Workbench

TITLE = "runs claimed and finished a second, 8 and 32 processes"
NUMBER = {"min": 0.0, "max": 1.0}
PEERS = (
    ("optuna journal", "Optuna, journal file"),
    ("optuna sqlite", "Optuna, SQLite"),
    ("optuna postgres", "Optuna, PostgreSQL"),
)
_names = itertools.count()


def take(bench: Workbench) -> dict[str, Any]:
    processes, seconds = (8, 32), bench.size(5, 1)
    with contextlib.closing(Postgres()) as database:

        def besom(db: bool, count: int) -> Sample:
            with bench.server(_fresh(database) if db else None) as server:
                sweep = server.sweep(dict.fromkeys("abc", NUMBER), program=None)
                before = server.cpu_s()
                found = bench.program(
                    "besom", "claims_besom.py", server.url, server.token, sweep, count, seconds
                ).answer
                return {**found, "server_cpu_ms_a_run": (server.cpu_s() - before) * 1000 / max(1, found["runs"])}

        def optuna(kind: str, count: int) -> Sample:
            url = [_fresh(database)] if kind == "postgres" else []
            return bench.program("optuna", "claims_optuna.py", kind, count, seconds, *url).answer

        contenders = {}
        for count in processes:
            contenders[f"besom x{count}"] = partial(besom, False, count)
            contenders |= {f"{peer} x{count}": partial(optuna, peer.split()[1], count) for peer, _ in PEERS}
            contenders[f"besom on PostgreSQL x{count}"] = partial(besom, True, count)
        return bench.turns(contenders)


def _fresh(database: Postgres) -> str:
    return database.database(f"bench{next(_names)}")


def lines(samples: dict[str, list[Sample]]) -> list[Line]:
    of = Medians(samples)
    found = []
    for count, journal in ((8, 3.0), (32, 5.0)):
        what, ours, elsewhere = (
            f"runs claimed and finished, {count} processes",
            f"besom x{count}",
            f"besom on PostgreSQL x{count}",
        )
        for peer, words in PEERS:
            bar = journal if peer == "optuna journal" else 15.0
            found.append(Line(what, of(ours, "rate"), "/s", words, of(f"{peer} x{count}", "rate"), at_least=bar))
        found += [
            Line(f"the same with Besom on PostgreSQL, {count} processes", of(elsewhere, "rate"), "/s",
                 "Optuna, PostgreSQL", of(f"optuna postgres x{count}", "rate"), at_least=15.0),
            Line(f"errors, {count} processes", _worst(samples, count, "errors"), "", at_most=0),
            Line(f"points handed out twice, {count} processes", _worst(samples, count, "repeats"), "", at_most=0),
            Line(f"least / most runs of a process, {count} processes", of(ours, "least_over_most"), "", at_least=0.7),
        ]  # fmt: skip
    ask = of("besom x32", "ask_p99_ms")
    found += [
        Line("ask p99, 32 processes", ask, "ms", words, of(f"{peer} x32", "ask_p99_ms"), at_most=1 / 30)
        for peer, words in PEERS
    ]
    return [*found, Line("server CPU a run, 32 processes", of("besom x32", "server_cpu_ms_a_run"), "ms")]


def _worst(samples: dict[str, list[Sample]], count: int, figure: str) -> float:
    names = (f"besom x{count}", f"besom on PostgreSQL x{count}")
    return max(float(sample[figure]) for name in names for sample in samples[name])
