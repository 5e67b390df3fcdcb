"""`besom server`: the server's life. Without a verb it serves in the foreground."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from besom.cli.output import format_options

if TYPE_CHECKING:
    from besom.common.discovery import Discovery
    from besom.server.settings import Settings

Command = Callable[..., Any]

# A large database takes its time.
_VACUUM_S = 3600.0

DATA = click.option(
    "--data", metavar="FOLDER", type=click.Path(file_okay=False), help="Data folder: database, log, local token."
)
_SERVING = (
    click.option("--host", metavar="ADDRESS", help="Address to listen at; 0.0.0.0 for all.  [default: 127.0.0.1]"),
    click.option("--port", metavar="NUMBER", type=int, help="Port to listen at.  [default: 8766 or the next free one]"),
    DATA,
    click.option("--db", metavar="URL",
                 help="postgresql://USER@HOST/NAME (with a password by the variable BESOM_DB).  [default: SQLite]"),
    click.option("--allowed-host", "allowed_hosts", metavar="NAME", multiple=True,
                 help="A name under which browsers and programs may reach the server; repeat for more."),
    click.option("--tls-cert", metavar="FILE", help="Certificate (PEM) for https."),
    click.option("--tls-key", metavar="FILE", help="Its key (PEM)."),
    click.option("--lease", "lease_s", metavar="SECONDS", type=float,
                 help="A run whose agent is silent for so long goes to another one.  [default: 60]"),
)  # fmt: skip


def _serving_options(command: Command) -> Command:
    for option in reversed(_SERVING):
        command = option(command)
    return command


@click.group(invoke_without_command=True)
@_serving_options
@click.pass_context
def server(ctx: click.Context, /, **options: Any) -> None:
    """Serve in the foreground, or start, stop, look at and back up the server.

    Usually nobody needs this: `besom run`, `besom sweep` and `besom agent` start a server by themselves.

    \b
    Examples:
      besom server                       in the foreground; Ctrl-C ends it
      besom server start --port 9000     in the background
      besom server start --host 0.0.0.0 --allowed-host sweeps.example.org
    """
    ctx.obj = options
    if ctx.invoked_subcommand is None:
        from besom.server.serving import serve

        serve(_settings(options), _say)
        _say("the server has ended")


@server.command()
@_serving_options
@click.pass_obj
def start(before: dict[str, Any], /, **options: Any) -> None:
    """Start a background server, or say where the one is that runs.

    \b
    Example:
      besom server start
    """
    from besom.server import process

    settings = _settings(_joined(before, options))
    found = process.running(settings.data)
    now = process.start(settings, _say)
    word = "runs already" if found is not None and found == now else "started"
    _say(f"the server {word} at {now.url} (process {now.pid}, data in {settings.data})")


@server.command()
@DATA
@click.pass_obj
def stop(before: dict[str, Any], /, **options: Any) -> None:
    """End this machine's server. Runs go on and report when it is back.

    \b
    Example:
      besom server stop
    """
    from besom.server import process

    folder = _data(before, options)
    ended = process.stop(folder)
    _say(f"no server runs for {folder}" if ended is None else f"the server at {ended.url} has ended")


@server.command()
@DATA
@format_options("table", "json", "yaml")
@click.pass_obj
def status(before: dict[str, Any], /, form: str, **options: Any) -> int:
    """Say whether this machine's server runs, where, and what it holds. Exit code 1: it does not run.

    \b
    Example:
      besom server status --json
    """
    from besom.cli.output import present
    from besom.server import process

    folder = _data(before, options)
    found = process.running(folder)
    if found is None:
        data: dict[str, Any] = {"running": False, "data": str(folder)}
        sentence = f"no server runs for {folder}: `besom server start` starts one"
        present(form, data=data, rows=lambda: [data], draw=lambda out: out.print(sentence))
        return 1
    data = {"running": True, **_connection(found, folder).call("GET", "/api/v1/server")}
    present(form, data=data, rows=lambda: [data], draw=lambda out: out.print(facts(data)))
    return 0


@server.command()
@DATA
@click.pass_obj
def token(before: dict[str, Any], /, **options: Any) -> None:
    """Print the local token, which may do everything.

    \b
    Example:
      besom server token | ssh gpu1 besom login --host http://login1:8766
    """
    from besom.common.discovery import read_token
    from besom.errors import NotFound

    folder = _data(before, options)
    found = read_token(folder)
    if found is None:
        raise NotFound(f"there is no token in {folder} yet: `besom server start` makes one")
    click.echo(found)


@server.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write over FILE if it is there.")
@DATA
@click.pass_obj
def backup(before: dict[str, Any], /, file: Path, force: bool, **options: Any) -> None:
    """Copy the running server's SQLite database into FILE, whole or not at all.

    \b
    Example:
      besom server backup besom-monday.db
    """
    from besom.cli.download import download
    from besom.errors import Refused
    from besom.server import process

    folder = _data(before, options)
    if file.exists() and not force:
        raise Refused(f"{file} exists already: name another file, or write over it with --force")
    found = process.running(folder)
    if found is None:
        raise Refused(f"no server runs for {folder}: start it with `besom server start`, or copy the folder as it is")
    size = download(_connection(found, folder), "/api/v1/server/backup", file)
    _say(f"wrote {file} ({size:,} bytes)")


@server.command()
@click.argument("file", type=click.Path(path_type=Path))
@DATA
@click.pass_obj
def restore(before: dict[str, Any], /, file: Path, **options: Any) -> None:
    """Make a backup the database again. The server must not run; what was there is kept beside it.

    Agents and scripts that still run send again what the backup lacks.

    \b
    Example:
      besom server stop && besom server restore besom-monday.db && besom server start
    """
    from besom.server.restoring import restore as put_back

    settings = _settings({"data": _joined(before, options)["data"]})
    kept = put_back(settings, file)
    _say(f"{file} is now the database of {settings.data}" + (f"; what was there is {kept}" if kept else ""))


@server.command()
@DATA
@click.pass_obj
def vacuum(before: dict[str, Any], /, **options: Any) -> None:
    """Give the room of what was removed back to the disk.

    Works while agents do; with SQLite, what they send waits until it is done (10 to 20 s for 1 GB).

    \b
    Example:
      besom server vacuum
    """
    from besom.cli.words import bytes_text
    from besom.errors import Refused
    from besom.server import process

    folder = _data(before, options)
    found = process.running(folder)
    if found is None:
        raise Refused(f"no server runs for {folder}: start it with `besom server start`")
    done = _connection(found, folder, timeout_s=_VACUUM_S).call("POST", "/api/v1/server/vacuum")
    before_text, after_text = bytes_text(done["before"]), bytes_text(done["after"])
    _say(f"the database went from {before_text} to {after_text} in {done['seconds']:.1f} s")


def _joined(before: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Options before the verb hold where they were not given after it."""
    return {name: value or before.get(name) for name, value in options.items()}


def _data(before: dict[str, Any], options: dict[str, Any]) -> Path:
    return _settings({"data": _joined(before, options)["data"]}).data


def _settings(options: dict[str, Any]) -> Settings:
    from besom.server.process import refuse_windows
    from besom.server.settings import read_settings

    refuse_windows()
    return read_settings(**{name: value for name, value in options.items() if value is not None})


def _connection(found: Discovery, folder: Path, timeout_s: float = 30.0) -> Any:
    from besom.client.connection import Connection
    from besom.common.discovery import read_token

    return Connection(found.url, read_token(folder), timeout_s=timeout_s)


def facts(data: dict[str, Any]) -> str:
    """A `ServerStatus` as lines for people."""
    from besom.cli.words import count_text

    counts = [count_text(data[f"{noun}s"], noun) for noun in ("project", "sweep", "run")]
    running = f"{count_text(data['sweeps_running'], 'sweep')} and {count_text(data['runs_running'], 'run')}"
    lines = [
        ("address", data["url"]), ("process", f"{data['pid']} on {data['host']}, since {data['started']}"),
        ("data", data["data"]), ("database", data["db"]), ("version", f"{data['version']} (API {data['api']})"),
        ("holds", ", ".join(counts)),
        ("running", f"{running} on {count_text(data['agents_alive'], 'agent')}"), ("disk", _disk(data)),
    ]  # fmt: skip
    return "\n".join(f"{name:<10}{value}" for name, value in lines)


def _disk(data: dict[str, Any]) -> str:
    from besom.cli.words import bytes_text

    names = {"database": "database_bytes", "logs": "logs_bytes", "copies kept beside it": "copies_bytes"}
    taken = ", ".join(f"{name} {bytes_text(data.get(key, 0))}" for name, key in names.items() if data.get(key))
    return f"{taken}; {bytes_text(data.get('free_bytes', 0))} free"


def _say(line: str) -> None:
    click.echo(f"besom: {line}", err=True)
