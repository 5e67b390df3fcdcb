"""What stored points take on disk, and how soon curves come back."""

from __future__ import annotations

import contextlib
from typing import Any

from common.figures import Sample
from common.postgres import Postgres
from table import Line
from workbench import Workbench

TITLE = "10⁷ points by 200 runs: bytes a point; 100 curves at 500 px"


def take(bench: Workbench) -> dict[str, Any]:
    size = ("--runs", bench.size(200, 100), "--steps", bench.size(5_000, 200))
    with contextlib.closing(Postgres()) as database:
        url = database.database("history").replace("postgresql:", "postgresql+psycopg:")
        return {
            "SQLite": [bench.script("history.py", *size)],
            "PostgreSQL": [bench.script("history.py", *size, "--database", url)],
            # As many steps a run as a curve of the bar has.
            "curves": [bench.script("history.py", "--runs", 100, "--steps", bench.size(1_000, 200))],
        }


def lines(samples: dict[str, list[Sample]]) -> list[Line]:
    def of(name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(iter(samples[name][0].values()))
        return found

    stored = [
        Line(f"10⁷ points on {name}, bytes a point", of(name)["written"]["bytes_a_point"], "B", at_most=bar)
        for name, bar in (("SQLite", 5.0), ("PostgreSQL", 9.0))
    ]
    written = of("SQLite")["written"]
    hundred = of("curves")["read"][0]
    return [
        *stored,
        Line("points written a second, SQLite", written["points_per_s"], "/s", "raw floats to a file",
             written["raw_points_per_s"]),
        Line("100 curves of 1,000 steps at 500 px", hundred["wall_ms"], "ms", at_most=5.0),
        Line("100 curves of 1,000 steps at 500 px, CPU", hundred["cpu_ms"], "ms"),
    ]  # fmt: skip
