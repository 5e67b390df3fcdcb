"""`besom agents`: who trains where, and turning agents off."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from besom.cli.output import format_options
from besom.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

_STATE_STYLES = {"alive": "green", "late": "red", "off": "yellow"}


@click.group(invoke_without_command=True)
@format_options("table", "json", "csv", "yaml")
@click.pass_context
def agents(ctx: click.Context, form: str) -> None:
    """List agents and turn them off.

    \b
    Examples:
      besom agents
      besom agents ls k3v9x2ab --json
      besom agents off 7hq2m4zc --now
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(ls, sweep=None, everything=False, form=form, as_json=False)
    elif form != "table":
        raise UsageError(f"how to print goes behind the command: besom agents ls --format {form}")


@agents.command()
@click.argument("sweep", required=False, metavar="[SWEEP]")
@click.option("--all", "everything", is_flag=True, help="Agents that have ended too.")
@format_options("table", "json", "csv", "yaml")
def ls(sweep: str | None, everything: bool, form: str) -> None:
    """List the agents of a sweep, or all of them: where they are, what they train."""
    from besom.cli.lookup import connect, find_sweep
    from besom.cli.output import present

    connection = connect()
    query = {"sweep": find_sweep(connection, sweep)["id"] if sweep else None}
    found: list[dict[str, Any]] = connection.call("GET", "/api/v1/agents", query=query)["agents"]
    rows = [row for row in found if everything or form != "table" or row["state"] != "ended"]
    present(form, data=rows, rows=lambda: map(_row, rows), draw=lambda out: _draw(out, rows, len(found) - len(rows)))


@agents.command()
@click.argument("agent_ids", nargs=-1, required=True, metavar="ID...")
@click.option("--now", "at_once", is_flag=True, help="Kill the current run instead of waiting for it.")
def off(agent_ids: tuple[str, ...], at_once: bool) -> None:
    """Turn agents off: each ends after its current run. The first characters of an ID are enough."""
    from besom.cli.lookup import connect
    from besom.client.connection import part

    connection = connect()
    rows = connection.call("GET", "/api/v1/agents")["agents"]
    chosen = [_chosen(rows, word) for word in agent_ids]
    for row in chosen:
        connection.call("POST", f"/api/v1/agents/{part(row['id'])}/off", {"now": at_once})
        when = "now" if at_once else "after its current run" if row["running"] else "now: it has no run"
        click.echo(f"besom: agent {row['id'][:8]} on {row['host']} ends {when}", err=True)


def _chosen(rows: Sequence[dict[str, Any]], word: str) -> dict[str, Any]:
    """The agent whose id begins with the word; raises NotFound or UsageError."""
    from besom.errors import NotFound

    found = [row for row in rows if row["id"].startswith(word)]
    live = [row for row in found if row["state"] != "ended"]
    if not found:
        raise NotFound(f"there is no agent {word}: `besom agents` lists them")
    if not live:
        raise UsageError(f"agent {word} has ended already")
    if len(live) > 1:
        raise UsageError(f"{word} is the beginning of {len(live)} agents: {', '.join(row['id'] for row in live)}")
    return live[0]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "running": " ".join(row["running"])}


def _draw(out: Console, rows: Sequence[dict[str, Any]], hidden: int) -> None:
    from besom.cli.output import cell, make_table
    from besom.cli.words import ago

    if not rows:
        out.print(
            "no agents work now: `besom agent SWEEP` starts one" + (" (--all lists ended ones)" if hidden else "")
        )
        return
    now = time.time()
    table = make_table("agent", "sweep", "host", ("pid", "right"), "state", "running", ("done", "right"),
                       ("failed", "right"), "seen", "note")  # fmt: skip
    for row in rows:
        table.add_row(
            cell(row["id"][:8], "bold"), cell(row["sweep"]), cell(row["host"]), cell(str(row["pid"])),
            cell(row["state"], _STATE_STYLES.get(row["state"], "")), cell(" ".join(row["running"])),
            cell(str(row["done"])), cell(str(row["failed"])), cell(ago(row["seen"], now)),
            cell((row["last_error"] or row["ended_reason"] or "").strip().rpartition("\n")[2]),
        )  # fmt: skip
    out.print(table)
