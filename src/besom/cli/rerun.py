"""`besom rerun`: the next attempt of runs that did not end well."""

from __future__ import annotations

import click

from besom.errors import UsageError


@click.command()
@click.argument("run_or_sweep", metavar="RUN|SWEEP")
@click.option("--failed", is_flag=True, help="Of a sweep: runs whose script failed.")
@click.option("--crashed", is_flag=True, help="Of a sweep: runs whose machine or agent went away.")
def rerun(run_or_sweep: str, failed: bool, crashed: bool) -> None:
    """Queue a run, or a sweep's failed and crashed runs, again; agents take them before new ones.

    A run keeps its parameters and its id. A finished sweep is open again.

    \b
    Example:
      besom rerun k3v9x2ab --failed
    """
    from besom.cli.lookup import call_sweep, connect, find_either
    from besom.cli.words import count_text, sweep_path
    from besom.client.connection import part

    connection = connect()
    kind, found = find_either(connection, run_or_sweep)
    if kind == "run":
        if failed or crashed:
            raise UsageError("--failed and --crashed choose among the runs of a sweep, and this is one run")
        connection.call("POST", f"/api/v1/runs/{part(found['uid'])}/rerun")
        agent = f": `besom agent {found['entity']}/{found['project']}/{found['sweep']}` trains it"
        click.echo(f"besom: run {found['id']} is queued{agent if found['sweep'] else ''}", err=True)
        return
    every = not failed and not crashed
    body = {"failed": failed or every, "crashed": crashed or every}
    names = call_sweep(connection, "POST", run_or_sweep, "rerun", body)["runs"]
    which = " and ".join(word for word, chosen in body.items() if chosen)
    said = f"sweep {found['id']} has no {which} runs: nothing to run again"
    if found["runs"].get("killed"):
        said += "; a killed run is queued by its own name: besom rerun RUN"
    if names:
        said = f"{count_text(len(names), 'run')} queued: `besom agent {sweep_path(found)}` trains them"
    click.echo(f"besom: {said}", err=True)
