"""From a sweep file to a sweep on the server, and the four lines that tell of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import click

from besom.errors import UsageError

if TYPE_CHECKING:
    from besom.client.connection import Connection
    from besom.sweep_config.config import SweepConfig

# A server that is just starting or busy is asked again for so long; the request is the same sweep all the time.
_PATIENCE_S = 15.0


@dataclass(frozen=True)
class SweepFile:
    """A sweep file as it was read."""

    path: str
    text: str
    format: Literal["yaml", "json"]


@dataclass(frozen=True)
class SweepOptions:
    """What the command line says beside the file; it wins over the file."""

    project: str | None = None
    entity: str | None = None
    name: str | None = None
    program: str | None = None
    prior_runs: Sequence[str] = ()

    def overrides(self, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
        """What wins over the file: options, and for project and entity the environment after them."""
        from besom.client import settings

        given = {
            "project": self.project or settings.read("BESOM_PROJECT", environ),
            "entity": self.entity or settings.read("BESOM_ENTITY", environ),
            "name": self.name,
            "program": self.program,
        }
        return {key: value for key, value in given.items() if value is not None}


def read_sweep_file(path: str) -> SweepFile:
    """The file's text; raises UsageError with the sentence for a file that is none of ours."""
    file = Path(path)
    if file.suffix in (".py", ".sh", ".ipynb"):
        raise UsageError(
            f"{path} is a script, and a sweep is described by a file: write `program: {path}` with `method` and "
            "`parameters` into sweep.yaml and give that"
        )
    try:
        with file.open("rb") as opened:
            text = read_bounded(opened, path).decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"Couldn't open sweep file: {path} ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"Error in configuration file: {path} is not UTF-8 text (byte {error.start})") from None
    if not text.strip():
        raise UsageError(f"Configuration file is empty: {path}")
    return SweepFile(path, text, "json" if file.suffix == ".json" else "yaml")


def read_bounded(opened: BinaryIO, name: str) -> bytes:
    """What is in the file; raises UsageError for more than a sweep file may have."""
    from besom.sweep_config import MAX_FILE_BYTES

    data = opened.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise UsageError(
            f"{name} has more than the {MAX_FILE_BYTES:,} bytes of a sweep file: describe long lists of values by "
            "a distribution, such as `min` and `max` with `q` for steps"
        )
    return data


def parse(file: SweepFile, options: SweepOptions) -> SweepConfig:
    """What the file means, by the code that the server reads it with.

    Raises SweepConfigError with all problems, before any server is asked or started.
    """
    from besom.sweep_config import read_sweep_config

    return read_sweep_config(file.text, format=file.format, file=file.path, overrides=options.overrides())


def create_sweep(
    connection: Connection, file: SweepFile, options: SweepOptions, *, program: str | None
) -> dict[str, Any]:
    """Makes the sweep (`SweepAnswer`). ``program`` only helps to name the project where nothing else does."""
    from besom.client.project_name import default_project
    from besom.common.ids import new_id

    body = {
        "request_id": new_id(16),
        "text": file.text,
        "format": file.format,
        "file": file.path,
        "prior_runs": list(options.prior_runs),
        "default_project": default_project(program or "", Path.cwd()),
        **options.overrides(),
    }
    sweep: dict[str, Any] = connection.call("POST", "/api/v1/sweeps", body, patience_s=_PATIENCE_S)
    return sweep


def announce(sweep: Mapping[str, Any], *, err: bool) -> None:
    """The lines that scripts parse: three of them once the sweep is there, after `Creating sweep from: F`."""
    from besom.cli.words import sweep_path

    click.echo(f"Creating sweep with ID: {sweep['id']}", err=err)
    click.echo(f"View sweep at: {sweep['url']}", err=err)
    click.echo(f"Run sweep agent with: besom agent {sweep_path(sweep)}", err=err)
    for note in sweep["notes"]:
        click.echo(f"besom: note: {note}", err=True)


def sweep_options(command: Any) -> Any:
    """The options that `besom sweep` and `besom run` share."""
    for option in reversed(
        (
            click.option("-p", "--project", help="Project of the sweep."),
            click.option("-e", "--entity", help="Entity of the sweep."),
            click.option("--name", help="Display name of the sweep."),
            click.option("--program", help="Script to run, instead of the file's `program`."),
            click.option("-R", "--prior-run", "--prior_run", "prior_runs", multiple=True, metavar="RUN",
                         help="A run that counts as already tried; may be given often."),
        )
    ):  # fmt: skip
        command = option(command)
    return command
