"""`besom edit`: what may change while a sweep runs."""

from __future__ import annotations

import click

from besom.cli.output import json_text, write
from besom.errors import UsageError


@click.command()
@click.argument("sweep")
@click.option("--name", help="New display name.")
@click.option("--description", help="New description.")
@click.option("--run-cap", type=click.IntRange(min=1), help="New largest number of runs.")
@click.option("--no-run-cap", is_flag=True, help="Lift the cap.")
@click.option("--json", "as_json", is_flag=True, help="Print the sweep as JSON.")
def edit(
    sweep: str, name: str | None, description: str | None, run_cap: int | None, no_run_cap: bool, as_json: bool
) -> None:
    """Change the name, the description or the run cap of SWEEP, running or not.

    \b
    Example:
      besom edit k3v9x2ab --run-cap 200 --name "wider net"
    """
    from besom.cli.lookup import call_sweep, connect

    if run_cap is not None and no_run_cap:
        raise UsageError("--run-cap and --no-run-cap exclude each other")
    cap = 0 if no_run_cap else run_cap
    changes = {"name": name, "description": description, "run_cap": cap}
    changes = {key: value for key, value in changes.items() if value is not None}
    if not changes:
        raise UsageError("nothing to change: give --name, --description, --run-cap or --no-run-cap")
    answer = call_sweep(connect(), "PATCH", sweep, body=changes)
    told = [f"run cap {'lifted' if cap == 0 else cap}"] if cap is not None else []
    told += [f"{key} {changes[key]!r}" for key in ("name", "description") if key in changes]
    click.echo(f"besom: sweep {answer['id']}: {', '.join(told)}", err=True)
    if cap is not None and answer["state"] == "finished":
        click.echo(f"besom: the sweep stays finished until `besom resume {answer['id']}`", err=True)
    if as_json:
        write(json_text(answer))
