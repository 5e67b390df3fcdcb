"""`besom token`: tokens for other machines, people and programs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from besom.cli.output import format_options

if TYPE_CHECKING:
    from rich.console import Console

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    """``30d``, ``12h``, ``45m``, ``90s`` in seconds."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", value)
    if found is None or float(found[1]) == 0:
        raise click.BadParameter(f"{value!r} is not a time: write 30d, 12h, 45m or 90s")
    return float(found[1]) * _UNITS[found[2]]


@click.group()
def token() -> None:
    """Make, list and revoke tokens.

    Scopes: admin everything; agent sweeps, agents and runs; read looks only.

    \b
    Example:
      besom token create gpu1 --scope agent --expires 30d
    """


@token.command()
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice(["admin", "agent", "read"]),
    default="agent",
    show_default=True,
    help="How far it reaches.",
)
@click.option("--expires", callback=_seconds, metavar="TIME", help="How long it is valid, as 30d.  [default: for ever]")
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON.")
def create(name: str, scope: str, expires: float | None, as_json: bool) -> None:
    """Make a token and print it; it is shown this once.

    NAME tells what it is for.

    \b
    Example:
      besom token create gpu1 --expires 30d
    """
    from besom.cli.lookup import connect
    from besom.cli.output import json_text, write

    made = connect().call("POST", "/api/v1/tokens", {"name": name, "scope": scope, "expires_s": expires})
    write(json_text(made) if as_json else made["token"])
    click.echo(f"besom: token {made['id']} ({name}, scope {scope}); keep it, it is not shown again", err=True)


@token.command()
@format_options("table", "json", "csv", "yaml")
def ls(form: str) -> None:
    """List tokens, without their secrets.

    \b
    Example:
      besom token ls
    """
    from besom.cli.lookup import connect
    from besom.cli.output import present

    rows: list[dict[str, Any]] = connect().call("GET", "/api/v1/tokens")
    present(form, data=rows, rows=lambda: rows, draw=lambda out: _draw(out, rows))


@token.command()
@click.argument("number", type=int)
def revoke(number: int) -> None:
    """Make a token worthless at once, with the browsers that signed in with it.

    \b
    Example:
      besom token revoke 3
    """
    from besom.cli.lookup import connect

    connect().call("DELETE", f"/api/v1/tokens/{number}")
    click.echo(f"besom: token {number} is revoked", err=True)


def _draw(out: Console, rows: Sequence[dict[str, Any]]) -> None:
    from besom.cli.output import cell, make_table

    table = make_table(("id", "right"), "name", "scope", "created", "expires", "")
    for row in rows:
        table.add_row(
            cell(str(row["id"])), cell(row["name"]), cell(row["scope"]), cell(row["created"][:10]),
            cell((row["expires"] or "never")[:10]), cell("revoked" if row["revoked"] else "", "red"),
        )  # fmt: skip
    out.print(table)
