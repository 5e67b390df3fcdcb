"""`besom login`: which server this user's commands and scripts speak to."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

import click


@click.command()
@click.option(
    "--host", "url", metavar="URL", help="Another machine's server; asks for a token, or reads it from stdin."
)
def login(url: str | None) -> None:
    """Use a server: alone this machine's own one, which is started where needed; with --host another one.

    The token is stored in a file that only you can read; it is never taken from the command line.

    \b
    Examples:
      besom login
      besom login --host http://login1:8766
    """
    from besom.client.finding import find_server, forget_login, store_login

    if url is None:
        with _writing():
            forget_login()
        connection = find_server()
    else:
        from besom.client.connection import Connection

        connection = Connection(url, _ask_token(url))
    me = connection.call("GET", "/api/v1/me")
    if url is not None:
        with _writing():
            store_login(connection.url, connection.token)
    click.echo(f"besom: logged in as {me['entity']} at {connection.url}", err=True)
    wins = os.environ.get("BESOM_URL")
    if url is not None and wins and wins.rstrip("/") != connection.url:
        click.echo(f"besom: note: the variable BESOM_URL is set to {wins} and wins until it is unset", err=True)


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    from besom.common.places import config_folder
    from besom.errors import DataFolderError

    try:
        yield
    except OSError as error:
        raise DataFolderError(
            f"the login cannot be kept in {config_folder()}: {error.strerror or error}; "
            "set BESOM_URL and BESOM_TOKEN instead, or XDG_CONFIG_HOME to a folder of yours"
        ) from None


def _ask_token(url: str) -> str:
    from besom.errors import UsageError

    if sys.stdin.isatty():
        token: str = click.prompt(f"Token for {url} (`besom server token` prints it there)", hide_input=True, err=True)
    else:
        token = sys.stdin.readline(4096)
    if not token.strip():
        raise UsageError("no token was given: paste it, or pipe it in with `besom login --host URL < FILE`")
    return token.strip()
