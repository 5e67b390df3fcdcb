"""`besom export`: every run of a sweep in a file that other tools read."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click

RUN_KEYS = (
    "id", "name", "state", "attempt", "params", "config", "summary", "score",
    "started", "ended", "stop_reason", "error",
)  # fmt: skip
_NESTED = ("params", "config", "summary")
RUN_COLUMNS = tuple(key for key in RUN_KEYS if key not in _NESTED)
HISTORY_COLUMNS = ("id", "name")


@click.command()
@click.argument("sweep")
@click.option("--format", "form", type=click.Choice(["csv", "json"]),
              help="csv or json; without it the ending of FILE says which, else csv.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
@click.option("--history", is_flag=True, help="With the rows that each run logged.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to this file instead of stdout.")
def export(sweep: str, form: str | None, as_json: bool, history: bool, output: str | None) -> None:
    """Write all runs of SWEEP, in the order in which they were made.

    JSON is a list of runs, one a line; with --history each holds its rows, in order of step. CSV has a row for each
    run, or with --history a row for each step of each run. It is written as it is read: however long, it needs little
    memory.

    \b
    Example:
      besom export k3v9x2ab -o runs.csv
      besom export k3v9x2ab --json --history | jq '.[0].history'
    """
    from besom.cli.lookup import connect, find_sweep, history_of, runs_of
    from besom.cli.streaming import csv_pieces, json_list, write_pieces

    if form is None:
        form = "json" if as_json or (output or "").endswith(".json") else "csv"
    connection = connect()
    found = find_sweep(connection, sweep)
    counted = _Counted(runs_of(connection, found["id"], order="created"))
    with_rows = ((run, history_of(connection, run["uid"]) if history else None) for run in counted)
    if form == "json":
        pieces = json_list(exported(run, rows) for run, rows in with_rows)
    else:
        columns = HISTORY_COLUMNS if history else RUN_COLUMNS
        pieces = csv_pieces(itertools.chain.from_iterable(csv_rows(run, rows) for run, rows in with_rows), columns)
    write_pieces(pieces, output)
    if output is not None:
        click.echo(f"besom: {counted.count} runs written to {output}", err=True)


class _Counted:
    """Goes through runs and counts them."""

    def __init__(self, runs: Iterable[Mapping[str, Any]]) -> None:
        self._runs = runs
        self.count = 0

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        for run in self._runs:
            self.count += 1
            yield run


def exported(run: Mapping[str, Any], rows: Iterable[Mapping[str, Any]] | None) -> Iterator[str]:
    """A run as the JSON export holds it, with its logged rows where they are wanted."""
    from besom.cli.streaming import json_item, with_list

    kept = {key: run[key] for key in RUN_KEYS}
    if rows is None:
        return json_item(kept)
    return with_list(kept, "history", map(json_item, rows))


def csv_rows(run: Mapping[str, Any], rows: Iterable[Mapping[str, Any]] | None) -> Iterator[dict[str, Any]]:
    """A row a run; with its logged rows, each of them with the run's id, name and params in front."""
    from besom.command import flatten

    if rows is None:
        yield flat_run(run)
        return
    front = {"id": run["id"], "name": run["name"]}
    front |= {f"params.{name}": value for name, value in flatten(run["params"])}
    for row in rows:
        yield {**front, **dict(flatten(row))}


def flat_run(run: Mapping[str, Any]) -> dict[str, Any]:
    """A run as one flat row: ``params.lr``, ``config.lr``, ``summary.loss`` beside the plain columns."""
    from besom.command import flatten

    row = {key: run[key] for key in RUN_COLUMNS}
    for part in _NESTED:
        row |= {f"{part}.{name}": value for name, value in flatten(run[part])}
    return row
