"""`besom`: the list of commands. A command's module is imported when the command is called, not before."""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

import click

from besom.cli.errors import explained
from besom.common.version import VERSION

INTRODUCTION = """\
Hyperparameter sweeps on your own machines.

\b
  besom run sweep.yaml            server, sweep, agent and result in one go
  besom run sweep.yaml --agents 2 the same with two runs at a time
  besom COMMAND --help            what a command does, with an example
"""


class Entry(NamedTuple):
    """A command: where it is, and its line in the list."""

    place: str
    help: str


SECTIONS: dict[str, dict[str, Entry]] = {
    "Run a sweep": {
        "run": Entry("besom.cli.run:run", "Run a sweep here: server, sweep, agents, live progress, result."),
        "check": Entry("besom.cli.check:check", "Check a sweep file and show what it means."),
        "suggest": Entry("besom.cli.suggest:suggest", "Say what to run next, without a server: JSON lines in and out."),
        "sweep": Entry("besom.cli.sweep:sweep", "Create a sweep for agents to work on."),
        "agent": Entry("besom.cli.agent:agent", "Ask a sweep for runs and train them, one after another."),
        "agents": Entry("besom.cli.agents:agents", "List agents and turn them off."),
    },
    "Look": {
        "ls": Entry("besom.cli.ls:ls", "List sweeps."),
        "show": Entry("besom.cli.show:show", "Show a sweep with its runs, or one run."),
        "best": Entry("besom.cli.best:best", "Print the best run's parameters: YAML, JSON, flags or Python."),
        "logs": Entry("besom.cli.logs:logs", "Print what a run printed."),
        "replay": Entry("besom.cli.replay:replay", "Say what a stopping rule would have done to a sweep."),
        "export": Entry("besom.cli.export:export", "Write all runs of a sweep as CSV or JSON."),
        "open": Entry("besom.cli.open:open_page", "Open the page of a sweep in a browser."),
    },
    "Steer": {
        "pause": Entry("besom.cli.steer:pause", "Hand out no new runs; running ones go on."),
        "resume": Entry("besom.cli.steer:resume", "Hand out runs again."),
        "stop": Entry("besom.cli.steer:stop", "End a sweep after its running runs."),
        "cancel": Entry("besom.cli.steer:cancel", "End a sweep now and kill its running runs."),
        "edit": Entry("besom.cli.edit:edit", "Change a sweep's name, description or run cap."),
        "rerun": Entry("besom.cli.rerun:rerun", "Queue a run, or a sweep's failed and crashed runs, again."),
        "rm": Entry("besom.cli.rm:rm", "Delete sweeps or runs for good."),
    },
    "Server and set-up": {
        "server": Entry("besom.cli.server:server", "Start, stop, look at and back up the server."),
        "login": Entry("besom.cli.login:login", "Use a server: this machine's own, or another one."),
        "status": Entry("besom.cli.status:status", "Say which server is used and what it holds."),
        "token": Entry("besom.cli.token:token", "Make, list and revoke tokens."),
        "sync": Entry("besom.cli.sync:sync", "Send runs that were recorded offline."),
        "completion": Entry("besom.cli.completion:completion", "Print the completion script of bash, zsh or fish."),
    },
}
COMMANDS = {name: entry for section in SECTIONS.values() for name, entry in section.items()}


class LazyGroup(click.Group):
    """Knows its commands by name; loads one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of the list."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The loaded command; None if there is none of this name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, name = entry.place.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name; a usage error with the nearest name otherwise."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f": did you mean `besom {near[0]}`?" if near else ""
            raise click.UsageError(f"there is no command {name!r}{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list by sections, from the table above: nothing is loaded for it."""
        for title, entries in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, entry.help) for name, entry in entries.items()], col_max=12)


@click.group(
    cls=LazyGroup,
    help=INTRODUCTION,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(VERSION, prog_name="besom", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """The group itself: without a command it prints its help."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(args: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code; mistakes become one sentence on stderr."""
    if sys.platform == "win32":
        click.echo("besom: Windows is not supported: run Besom on Linux, on macOS or in WSL", err=True)
        return 1
    return explained(lambda: cli.main(args=args, prog_name="besom", standalone_mode=False))
