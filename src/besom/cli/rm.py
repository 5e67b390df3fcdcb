"""`besom rm`: deletes for good."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from besom.cli.lookup import Found


@click.command()
@click.argument("sweeps_or_runs", metavar="SWEEP|RUN…", nargs=-1, required=True)
@click.option("-y", "--yes", is_flag=True, help="Do not ask, even at a terminal.")
def rm(sweeps_or_runs: Sequence[str], yes: bool) -> None:
    """Delete sweeps with all their runs, or single runs. At a terminal it asks first.

    A deleted run does not give its point back: the sweep goes on without it.

    \b
    Example:
      besom rm k3v9x2ab
    """
    from besom.cli.lookup import call_sweep, connect, find_either
    from besom.client.connection import part

    connection = connect()
    things = [(path, find_either(connection, path)) for path in sweeps_or_runs]
    if not yes and sys.stdin.isatty():
        click.confirm(f"Delete {', '.join(_name(found) for _, found in things)} for good?", abort=True, err=True)
    for path, found in things:
        if found.kind == "sweep":
            call_sweep(connection, "DELETE", path)
        else:
            connection.call("DELETE", f"/api/v1/runs/{part(found.answer['uid'])}")
        click.echo(f"besom: deleted {_name(found)}", err=True)


def _name(found: Found) -> str:
    from besom.cli.words import count_text, sweep_path

    if found.kind == "run":
        return f"run {found.answer['id']}"
    return f"sweep {sweep_path(found.answer)} with {count_text(sum(found.answer['runs'].values()), 'run')}"
