"""`besom open`: the page in a browser, signed in."""

from __future__ import annotations

import os
import sys
from urllib.parse import urlsplit

import click


@click.command(name="open")
@click.argument("thing", metavar="[SWEEP|RUN]", required=False)
@click.option("--print", "only_print", is_flag=True, help="Print the address instead; it works once, for a minute.")
def open_page(thing: str | None, only_print: bool) -> None:
    """Open a page in a browser and sign it in: all projects, or that of a sweep or run.

    \b
    Examples:
      besom open
      besom open k3v9x2ab
    """
    from besom.cli.lookup import connect, find_either

    connection = connect()
    path = urlsplit(find_either(connection, thing).answer["url"]).path if thing else "/"
    code = connection.call("POST", "/api/v1/login-codes", query={"path": path})
    if only_print:
        click.echo(code["url"])
    elif _has_screen() and _browse(code["url"]):
        click.echo(f"besom: opened {connection.url}{path}", err=True)
    else:
        click.echo(f"besom: no browser here; this address works once, for {code['expires_s']:.0f} s:", err=True)
        click.echo(code["url"])


def _has_screen() -> bool:
    # Without one, Python would start a browser for text terminals in the middle of this one.
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _browse(url: str) -> bool:
    import webbrowser

    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False
