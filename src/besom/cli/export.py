"""`besom export`: every run of a sweep in a file that other tools read."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from besom.errors import UsageError

RUN_KEYS = (
    "id", "name", "state", "attempt", "params", "config", "summary", "score",
    "started", "ended", "stop_reason", "error",
)  # fmt: skip
_NESTED = ("params", "config", "summary")


@click.command()
@click.argument("sweep")
@click.option("--format", "form", type=click.Choice(["csv", "json"]),
              help="csv or json; without it the ending of FILE says which, else csv.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
@click.option("--history", is_flag=True, help="With the rows that each run logged.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to this file instead of stdout.")
def export(sweep: str, form: str | None, as_json: bool, history: bool, output: str | None) -> None:
    """Write all runs of SWEEP, in the order in which they were made.

    JSON is a list of runs; with --history each holds its rows, in order of step. CSV has a row for each run, or with
    --history a row for each step of each run.

    \b
    Example:
      besom export k3v9x2ab -o runs.csv
      besom export k3v9x2ab --json --history | jq '.[0].history'
    """
    from besom.cli.lookup import connect, find_sweep, pages_of_runs
    from besom.cli.output import json_text, write

    if form is None:
        form = "json" if as_json or (output or "").endswith(".json") else "csv"
    connection = connect()
    found = find_sweep(connection, sweep)
    pages = pages_of_runs(connection, found["id"], order="created", history=history)
    runs = list(itertools.chain.from_iterable(pages))
    text = json_text([exported(run, history) for run in runs]) if form == "json" else runs_csv(runs, history)
    if output is None:
        write(text)
        return
    try:
        Path(output).write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output} cannot be written ({error.strerror})") from None
    click.echo(f"besom: {len(runs)} runs written to {output}", err=True)


def exported(run: Mapping[str, Any], history: bool) -> dict[str, Any]:
    """A run as the JSON export holds it."""
    kept = {key: run[key] for key in RUN_KEYS}
    return {**kept, "history": run["history"] or []} if history else kept


def runs_csv(runs: Sequence[Mapping[str, Any]], history: bool) -> str:
    """A row a run, or a row a step; the columns are all that any run has, in the order in which they first appear."""
    from besom.cli.output import csv_text

    rows = list(history_rows(runs)) if history else [flat_run(run) for run in runs]
    columns = ["id", "name"] if history else [key for key in RUN_KEYS if key not in _NESTED]
    columns += [column for row in rows for column in row]
    return csv_text(rows, list(dict.fromkeys(columns)))


def flat_run(run: Mapping[str, Any]) -> dict[str, Any]:
    """A run as one flat row: ``params.lr``, ``config.lr``, ``summary.loss`` beside the plain columns."""
    from besom.command import flatten

    row = {key: run[key] for key in RUN_KEYS if key not in _NESTED}
    for part in _NESTED:
        row |= {f"{part}.{name}": value for name, value in flatten(run[part])}
    return row


def history_rows(runs: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each logged row with its run's id, name and params in front."""
    from besom.command import flatten

    for run in runs:
        front = {"id": run["id"], "name": run["name"]}
        front |= {f"params.{name}": value for name, value in flatten(run["params"])}
        for row in run["history"] or []:
            yield {**front, **dict(flatten(row))}
