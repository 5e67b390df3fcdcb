"""`besom best`: the answer of a sweep, in the form that the next tool wants."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from besom.cli.output import format_options

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.argument("sweep")
@format_options("table", "yaml", "json", "args", "python", "csv")
def best(sweep: str, form: str) -> None:
    """Print the parameters of SWEEP's best run.

    The table names the run and its score; the other formats hold the parameters and nothing else.

    \b
    Example:
      python train.py $(besom best k3v9x2ab --format args)
      besom best k3v9x2ab --format yaml > best.yaml
    """
    from besom.cli.lookup import best_run, connect, find_sweep
    from besom.cli.words import sweep_path
    from besom.errors import NotFound

    connection = connect()
    found = find_sweep(connection, sweep)
    run = best_run(connection, found)
    if run is None:
        metric = f" of `{found['metric']['name']}`" if found["metric"] else ""
        raise NotFound(f"sweep {sweep_path(found)} has no best run yet: no run has ended with a value{metric}")
    print_best(form, found, run)


def print_best(form: str, sweep: Mapping[str, Any], run: Mapping[str, Any]) -> None:
    """The best run in one of the formats."""
    from besom.cli.output import console, csv_text, json_text, write, yaml_text
    from besom.command import flatten

    params = run["params"]
    if form == "table":
        _draw(console(), sweep, run)
    elif form == "csv":
        row = dict(flatten(params))
        write(csv_text([row], list(row)))
    else:
        texts = {"json": json_text, "yaml": yaml_text, "args": args_text, "python": python_text}
        write(texts[form](params))


def args_text(params: Mapping[str, Any]) -> str:
    """The flags as the sweep's default command gives them, quoted for a shell."""
    from besom.command import expand

    return shlex.join(expand(["${args}"], program=None, params=params, environ={}, json_file=None))


def python_text(params: Mapping[str, Any]) -> str:
    """The params as a dict literal."""
    from pprint import pformat

    return pformat(dict(params), sort_dicts=False, width=100)


def _draw(out: Console, sweep: Mapping[str, Any], run: Mapping[str, Any]) -> None:
    from besom.cli.output import cell, make_table, print_table
    from besom.command import flatten
    from besom.common.wording import score_text

    metric = sweep["metric"]
    facts = [("run", run["id"]), ("state", run["state"])]
    if metric:
        facts.append((metric["name"], score_text(run["score"])))
    table = make_table("", "")
    table.show_header = False
    for title, text in [*facts, *((name, str(value)) for name, value in flatten(run["params"])), ("page", run["url"])]:
        table.add_row(cell(title, "dim" if title in ("run", "state", "page") else "bold"), cell(text))
    print_table(out, table)
