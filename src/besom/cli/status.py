"""`besom status`: which server is used, as whom, and what it holds."""

from __future__ import annotations

import os
from typing import Any

import click

from besom.cli.output import format_options


@click.command()
@format_options("table", "json", "yaml")
def status(form: str) -> None:
    """Say which server is used, as whom, and what it holds. Nothing is started.

    \b
    Example:
      besom status --json
    """
    from besom.cli.output import present
    from besom.cli.server import facts
    from besom.client.finding import find_server

    connection = find_server(start=False)
    me = connection.call("GET", "/api/v1/me")
    data: dict[str, Any] = {
        "used": connection.url, "found_by": _found_by(), "entity": me["entity"], "scope": me["scope"],
        **connection.call("GET", "/api/v1/server"),
    }  # fmt: skip
    lines = f"{'used':<10}{data['used']} (by {data['found_by']})\n{'as':<10}{me['entity']}, scope {me['scope']}\n"
    present(form, data=data, rows=lambda: [data], draw=lambda out: out.print(lines + facts(data)))


def _found_by() -> str:
    from besom.client.finding import stored_login

    if os.environ.get("BESOM_URL"):
        return "BESOM_URL"
    return "besom login" if stored_login() is not None else "this machine"
