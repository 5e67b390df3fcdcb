"""Finds the server: ``BESOM_URL``, else the stored login, else this user's own server, started when it is not there."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from besom.client.connection import Connection
from besom.common.discovery import API_VERSION, Discovery, host_name, is_alive, read_discovery, read_token
from besom.common.places import config_folder, data_folder, write_private
from besom.common.version import VERSION, numbers
from besom.errors import ServerUnreachable

LOGIN_FILE = "login.json"
# A first start makes the data folder and its tables, on a slow disk too.
START_TIMEOUT_S = 60.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def say_on_stderr(line: str) -> None:
    """One line for the person at the terminal."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the terminal is where it belongs


def find_server(
    environ: Mapping[str, str] = os.environ, *, start: bool = True, say: Callable[[str], None] = say_on_stderr
) -> Connection:
    """A connection to the server that is meant; nothing is sent yet unless a server must be started.

    With ``start`` false only what is there already is found. Raises ServerUnreachable with the sentence that tells
    what to do: no server is configured or running, it runs on another host, or it could not be started.
    """
    if url := environ.get("BESOM_URL"):
        return Connection(url, environ.get("BESOM_TOKEN") or _known_token(url, environ))
    if login := stored_login(environ):
        return Connection(*login)
    if why := _read_logins(environ)[1]:
        say(
            f"besom: {config_folder(environ) / LOGIN_FILE} cannot be read ({why}): this machine's own server is used; "
            "log in again by `besom login --host URL`"
        )
    return _own_server(environ, start, say)


def meant_for(environ: Mapping[str, str] = os.environ) -> str:
    """The address that the user named, by ``BESOM_URL`` or a login; empty for this user's own server."""
    login = None if environ.get("BESOM_URL") else stored_login(environ)
    return environ.get("BESOM_URL") or (login[0] if login is not None else "")


def stored_login(environ: Mapping[str, str] = os.environ) -> tuple[str, str | None] | None:
    """Address and token of the last `besom login --host`; None if there was none."""
    found, _ = _read_logins(environ)
    url = found.get("current")
    return (url, found.get("tokens", {}).get(url)) if url else None


def store_login(url: str, token: str | None, environ: Mapping[str, str] = os.environ) -> Path:
    """Makes ``url`` the server that is found from now on (file mode 0600); returns the file."""
    found, _ = _read_logins(environ)
    tokens = {**found.get("tokens", {}), **({url: token} if token else {})}
    file = config_folder(environ) / LOGIN_FILE
    write_private(file, json.dumps({"current": url, "tokens": tokens}, indent=1))
    return file


def forget_login(environ: Mapping[str, str] = os.environ) -> None:
    """From now on this user's own server is found again; known tokens stay."""
    found, _ = _read_logins(environ)
    if found:
        write_private(config_folder(environ) / LOGIN_FILE, json.dumps({**found, "current": None}, indent=1))


def _read_logins(environ: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    """What the file of logins holds, nothing without one; and why it cannot be read, empty if it can."""
    try:
        found = json.loads((config_folder(environ) / LOGIN_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError) as error:
        return {}, getattr(error, "strerror", None) or str(error)
    if isinstance(found, dict):
        current, tokens = found.get("current"), found.get("tokens", {})
        if (current is None or isinstance(current, str)) and isinstance(tokens, dict):
            return found, ""
    return {}, "it is not what `besom login` writes"


def _known_token(url: str, environ: Mapping[str, str]) -> str | None:
    tokens = _read_logins(environ)[0].get("tokens", {})
    if token := tokens.get(url) or tokens.get(url.rstrip("/")):
        return str(token)
    own = read_discovery(data_folder(environ))
    return read_token(data_folder(environ)) if own is not None and own.url == url.rstrip("/") else None


def _own_server(environ: Mapping[str, str], start: bool, say: Callable[[str], None]) -> Connection:
    data = data_folder(environ)
    found = read_discovery(data)
    if found is not None and found.host != host_name():
        return _on_another_host(found, data)
    if found is not None and is_alive(found) and not (start and _is_to_restart(found)):
        return Connection(found.url, read_token(data))
    if not start:
        raise ServerUnreachable("no Besom server runs here: start one with `besom server start`")
    say("besom: starting the server of this machine")
    _start_server(environ)
    found = read_discovery(data)
    if found is None:
        raise ServerUnreachable(f"the server was started and left no address in {data}: see its log there")
    return Connection(found.url, read_token(data))


def _on_another_host(found: Discovery, data: Path) -> Connection:
    if urlsplit(found.url).hostname in _LOOPBACK:
        raise ServerUnreachable(
            f"the server runs on {found.host}, bound to loopback: start it there with `besom server start --host "
            f"{found.host}` and run `besom login --host http://{found.host}:PORT` here"
        )
    return Connection(found.url, read_token(data))


def _is_to_restart(found: Discovery) -> bool:
    """True for a server that `besom server start` would restart: one that a person started is his to end."""
    return found.background and (found.api < API_VERSION or numbers(found.version) < numbers(VERSION))


def _start_server(environ: Mapping[str, str]) -> None:
    import subprocess

    command = [sys.executable, "-m", "besom", "server", "start"]
    try:
        done = subprocess.run(
            command, env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True, timeout=START_TIMEOUT_S,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ServerUnreachable(
            f"the server did not answer within {START_TIMEOUT_S:.0f} s of its start: see its log with "
            "`besom server status`"
        ) from None
    except OSError as error:
        raise ServerUnreachable(f"the server cannot be started ({error}): run `besom server start`") from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = said[-1].removeprefix("besom: ") if said else f"exit code {done.returncode}"
        raise ServerUnreachable(f"the server could not be started: {why}")
