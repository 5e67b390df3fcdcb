"""`besom sync`: brings run folders to the server that could not be sent when they were written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from besom.cli.errors import complain
from besom.errors import BesomError, ServerUnreachable, UsageError


@click.command()
@click.argument("folders", metavar="[DIR…]", nargs=-1, type=click.Path())
def sync(folders: Sequence[str]) -> None:
    """Send the runs in DIR to the server: a run folder, or a folder of them.

    Without DIR it takes this user's own run folders, those on a local disk too. What the server has already is
    not sent twice.

    \b
    Example:
      besom sync
      besom sync /scratch/besom/state/runs
    """
    from besom.cli.lookup import connect
    from besom.client.run_folder import RunFolder
    from besom.client.shipping import sync_folder
    from besom.common.spool_place import spool_place

    given = [Path(folder) for folder in folders] or spool_place().all
    found = [folder for place in given for folder in run_folders(place, must_hold_one=bool(folders))]
    if not found:
        hold = "hold" if len(given) > 1 else "holds"
        complain(f"{' and '.join(map(str, given))} {hold} no runs: there is nothing to send")
        return
    connection = connect()
    sent = failed = 0
    for folder in found:
        try:
            outcome = sync_folder(connection, RunFolder(folder))
        except ServerUnreachable:
            raise
        except BesomError as error:
            failed += 1
            complain(f"{folder.name}: {error}")
            continue
        if outcome != "nothing to send":
            sent += 1
            click.echo(f"{folder.name}: {outcome}", err=True)
    complain(f"{sent} of {len(found)} run folders sent, {len(found) - sent - failed} had nothing to send")
    if failed:
        raise click.exceptions.Exit(1)


def run_folders(place: Path, *, must_hold_one: bool) -> list[Path]:
    """The run folders that a folder is or holds; raises UsageError if there must be one and is none."""
    if (place / "config.json").is_file():
        return [place]
    from besom.common.places import runs_folder

    inside = place / "runs" if (place / "runs").is_dir() else place
    try:
        found = sorted(folder for folder in inside.iterdir() if (folder / "config.json").is_file())
    except OSError as error:
        if must_hold_one:
            raise UsageError(
                f"{place} cannot be read ({error.strerror}): give a run folder or a folder of them"
            ) from None
        return []
    if must_hold_one and not found:
        own = runs_folder()
        raise UsageError(f"{place} holds no run folder (none with a config.json): give {own} or one below it")
    return found
