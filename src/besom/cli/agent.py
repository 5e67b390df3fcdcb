"""`besom agent`: train a sweep's runs on this machine, one after another."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from besom.agents.loop import Options
    from besom.client.connection import Connection


@click.command()
@click.argument("sweep", metavar="[ENTITY/][PROJECT/]ID")
@click.option("-p", "--project", help="Project of the sweep, where the path does not name it.")
@click.option("-e", "--entity", help="Entity of the sweep, where the path does not name it.")
@click.option("--count", type=click.IntRange(min=0), help="Start at most so many runs; 0 for no limit.")
@click.option("-f", "--forward-signals", is_flag=True, help="Hand signals on to the training as well.")
@click.option("-t", "--term-timeout", type=click.FloatRange(min=0), metavar="SECONDS",
              help="With -f: from a signal handed on that asks to end to KILL.")  # fmt: skip
@click.option("--max-consecutive-failed-runs", type=click.IntRange(min=1), metavar="N",
              help="End after N failed runs in a row.")  # fmt: skip
@click.option(
    "--wandb",
    "wandb",
    type=click.Choice(["ours", "real"]),
    default="ours",
    show_default=True,
    help="What `import wandb` gives the training: Besom's module or the installed package, offline.",
)
@click.option("-q", "--quiet", is_flag=True, help="Say only which runs begin and how they end, as under `besom run`.")
@click.option("--dry-run", is_flag=True, help="Print the command line of the next run and take none.")
@click.option("--json", "as_json", is_flag=True, help="With --dry-run: print argv and params as JSON.")
def agent(
    sweep: str,
    project: str | None,
    entity: str | None,
    count: int | None,
    forward_signals: bool,
    term_timeout: float | None,
    max_consecutive_failed_runs: int | None,
    wandb: str,
    quiet: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Ask a sweep for runs and train them in this folder, one after another.

    Ctrl-C waits for the current run; a second one ends it (TERM), a third one kills it. The exit code says why the
    agent ended: 0 the sweep has ended or --count is reached, 3 to 5 too many runs failed, 6 the sweep was canceled,
    130 Ctrl-C; the others are in the docs.

    \b
    Examples:
      besom agent k3v9x2ab
      CUDA_VISIBLE_DEVICES=1 besom agent alice/vision/k3v9x2ab --count 20
      besom agent k3v9x2ab --dry-run
    """
    from besom.agents.exit_codes import ExitCode
    from besom.agents.loop import Options, program_agent
    from besom.agents.screen import terminal_screen
    from besom.cli.errors import complain
    from besom.client.finding import find_server
    from besom.errors import ServerUnreachable, UsageError

    if as_json and not dry_run:
        raise UsageError("--json goes with --dry-run: an agent prints what its runs print")
    options = Options(
        sweep,
        entity,
        project,
        count,
        forward_signals,
        term_timeout,
        max_consecutive_failed_runs,
        quiet,
        dict(os.environ),
    )
    options.check()
    try:
        connection = existing_server()
    except ServerUnreachable as error:
        complain(str(error))
        return ExitCode.UNREACHABLE
    if dry_run:
        return preview(options, connection, as_json=as_json)
    ending = program_agent(
        options,
        connection,
        lambda: find_server(start=False),
        terminal_screen(),
        wandb="real" if wandb == "real" else "ours",
    )
    return int(ending.code)


def existing_server() -> Connection:
    """The server that is meant; this machine's own is started if it has been here before, never made anew."""
    from besom.client.finding import find_server
    from besom.common.places import data_folder

    return find_server(start=data_folder().is_dir())


def preview(options: Options, connection: Connection, *, as_json: bool) -> int:
    """Prints the next run's command line on stdout."""
    import shlex

    from besom.agents.exit_codes import ExitCode
    from besom.agents.preview import next_argv
    from besom.cli.errors import complain
    from besom.cli.output import json_text, write
    from besom.errors import NotFound, Refused

    try:
        argv, params = next_argv(connection, options.address(), options.environ, Path.cwd())
    except NotFound as error:
        complain(str(error))
        return ExitCode.NOT_FOUND
    except Refused as error:
        complain(str(error))
        return ExitCode.SWEEP_ENDED
    write(json_text({"argv": argv, "params": params}) if as_json else shlex.join(argv))
    return 0
