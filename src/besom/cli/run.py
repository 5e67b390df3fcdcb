"""`besom run`: a sweep file to its result in one command."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from besom.cli.sweep_file import SweepOptions, sweep_options
from besom.errors import UsageError

if TYPE_CHECKING:
    from besom.cli.local_agents import LocalAgents
    from besom.cli.progress import Watch
    from besom.client.connection import Connection
    from besom.sweep_config.config import SweepConfig

_HANDED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# How long to wait for the agents' next line before looking at the clock again, in seconds.
_WAIT_S = 0.2
_MOST_ROWS = 20


@click.command()
@click.argument("file", metavar="FILE")
@sweep_options
@click.option("--agents", "agent_count", type=click.IntRange(min=1), default=1, show_default=True,
              help="How many runs train at a time.")  # fmt: skip
@click.option("--count", type=click.IntRange(min=1), help="Start at most so many runs, all agents together.")
def run(
    file: str,
    project: str | None,
    entity: str | None,
    name: str | None,
    program: str | None,
    prior_runs: tuple[str, ...],
    agent_count: int,
    count: int | None,
) -> None:
    """Run the sweep in FILE here: finds or starts the server, creates the sweep, trains with agents, shows the result.

    Ctrl-C lets the current runs finish; a second one ends them, a third one kills them. The sweep stays: an agent
    goes on with it later.

    \b
    Example:
      besom run sweep.yaml
      besom run sweep.yaml --agents 2 --count 20
    """
    from besom.cli.local_agents import LocalAgents, shares
    from besom.cli.lookup import connect
    from besom.cli.progress import Watch
    from besom.cli.sweep_file import announce, create_sweep, parse, read_sweep_file
    from besom.cli.words import sweep_path

    source = read_sweep_file(file)
    options = SweepOptions(project, entity, name, program, prior_runs)
    config = parse(source, options)
    check_program(config, Path(file), Path.cwd())
    check_interpreter(config, os.environ.get("PATH"))
    connection = connect()
    click.echo(f"Creating sweep from: {file}", err=True)
    sweep = create_sweep(connection, source, options, program=config.program)
    announce(sweep, err=True)
    counts = shares(count, agent_count)
    watch = Watch(connection, sweep)
    agents = LocalAgents(sweep_path(sweep), counts)
    interrupted = work(agents, watch, len(counts), count)
    codes = agents.close()
    watch.close()
    show_result(connection, watch.last.sweep, file)
    raise click.exceptions.Exit(exit_code(codes, interrupted, watch.last.sweep["runs"]))


def check_program(config: SweepConfig, file: Path, folder: Path) -> None:
    """Raises UsageError if the agents, which work in ``folder``, would not find the program."""
    if config.program is None or (config.command is not None and "${program}" not in config.command):
        return
    if (folder / config.program).exists():
        return
    if (file.parent / config.program).exists():
        raise UsageError(
            f"there is no program {config.program} in {folder}, where the agents would run it, but one beside the "
            f"sweep file: cd {file.parent} && besom run {file.name}"
        )
    raise UsageError(f"there is no program {config.program} in {folder}: correct `program` in {file} or give --program")


def check_interpreter(config: SweepConfig, path: str | None) -> None:
    """Raises UsageError if the command wants `python` and there is none; tells if it is another one than Besom's."""
    if config.command is not None and "${interpreter}" not in config.command:
        return
    found = shutil.which("python", path=path)
    if found is None:
        raise UsageError(
            "the sweep's runs are started with `python`, and there is none on PATH: activate the virtual environment "
            f"(. {Path(sys.executable).parent / 'activate'}), or write `command` with another interpreter into the file"
        )
    if Path(found).parent != Path(sys.executable).parent and _prefix_of(found) != sys.prefix:
        click.echo(f"besom: note: runs use {found}, the first python on PATH; Besom runs in {sys.prefix}", err=True)


def _prefix_of(python: str) -> str:
    """Where a Python is installed: what a shim leads to is seen only by asking."""
    command = [python, "-c", "import sys; print(sys.prefix)"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def work(agents: LocalAgents, watch: Watch, number: int, count: int | None) -> bool:
    """Shows lines and status until the agents have ended; True if somebody interrupted them."""
    from besom.agents.sentences import LADDER
    from besom.cli.progress import Pace, make_display, status

    interrupted: list[int] = []

    def hand_on(signum: int, frame: FrameType | None) -> None:
        interrupted.append(signum)
        agents.send(signal.Signals(signum))

    before = {number: signal.signal(number, hand_on) for number in _HANDED_ON}
    display = make_display(number)
    told = set(watch.last.sweep["notes"])
    climbed = 0
    pace = Pace(started=time.monotonic(), agents=number)
    try:
        while agents.working:
            for line in agents.lines(_WAIT_S):
                (display.line if line.whole else display.unfinished)(line.agent, line.text)
            while climbed < min(len(interrupted), len(LADDER)):
                display.say(LADDER[climbed])
                climbed += 1
            found = watch.last
            for note in [note for note in found.sweep["notes"] if note not in told]:
                display.say(f"WARNING {note}")
                told.add(note)
            display.show(status(found, count, pace, time.monotonic()))
        display.show(status(watch.look(), count, pace, time.monotonic()))
    finally:
        display.close()
        for number, handler in before.items():
            signal.signal(number, handler)
    return bool(interrupted)


def exit_code(codes: Sequence[int], interrupted: bool, runs: Mapping[str, int]) -> int:
    """0 if an agent ended well and not all ``runs`` (how many by state) failed; else the first other code, or 1.

    An agent that came too late has nothing to complain of.
    """
    from besom.agents.exit_codes import ExitCode

    if interrupted:
        return ExitCode.INTERRUPTED
    telling = [code for code in codes if code != ExitCode.SWEEP_ENDED]
    if not telling or 0 in telling:
        lost = runs.get("failed", 0) + runs.get("crashed", 0)
        return ExitCode.ERROR if lost and lost == sum(runs.values()) else 0
    return telling[0] if telling[0] > 0 else 128 - telling[0]


def _without_said(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """The run without the warning that its script has said above, in the same words."""
    from besom.common.wording import NEVER_READ

    return {**run, "warnings": [warning for warning in run["warnings"] if NEVER_READ not in warning]}


def show_result(connection: Connection, sweep: Mapping[str, Any], file: str) -> None:
    """The runs, best first, the best params, and what to do next, on stdout."""
    from besom.cli.best import args_text
    from besom.cli.lookup import best_run, runs_of
    from besom.cli.output import cell, console, yaml_text
    from besom.cli.runs_table import print_runs
    from besom.cli.words import count_text
    from besom.common.wording import score_text

    out = console()
    runs = list(runs_of(connection, sweep["id"], most=_MOST_ROWS))
    best = best_run(connection, sweep)
    metric = (sweep["metric"] or {}).get("name")
    out.print()
    if runs:
        left_out = sum(sweep["runs"].values()) - len(runs)
        more = f"… and {count_text(left_out, 'more run')}: besom export {sweep['id']}" if left_out > 0 else ""
        print_runs(out, [_without_said(run) for run in runs], metric, now=time.time(), rest=more)
    if best is not None:
        score = f" with {metric} {score_text(best['score'])}" if metric else ""
        out.print(cell(f"\nBest: run {best['id']}{score}", "bold"))
        for line in yaml_text(best["params"]).splitlines():
            out.print(cell(f"  {line}"), soft_wrap=True)
        out.print(cell(f"As flags: {args_text(best['params'])}"), soft_wrap=True)
    out.print()
    for title, text in next_steps(sweep, file):
        out.print(cell(f"{title:<9} {text}"), soft_wrap=True)


def next_steps(sweep: Mapping[str, Any], file: str) -> list[tuple[str, str]]:
    """How to open, continue and stop, as the sweep's state allows it."""
    from besom.cli.words import sweep_path

    name, path = sweep["id"], sweep_path(sweep)
    lost = sweep["runs"].get("failed", 0) + sweep["runs"].get("crashed", 0)
    steps = [("Page", sweep["url"]), ("Open", f"besom open {name}"), ("Look", f"besom show {name}")]
    if lost:
        steps.append(("Repeat", f"besom rerun {name}, then besom agent {path}"))
    if sweep["runs"].get("killed") and sweep["state"] != "canceled":
        steps.append(("" if lost else "Repeat", "besom rerun RUN queues a killed run again"))
    ends_server = "besom server stop ends the server in the background; nothing is lost"
    if sweep["state"] in ("finished", "canceled"):
        again = f"the sweep is {sweep['state']}; besom run {file} makes a new one"
        return [*steps, ("Continue", again), ("Stop", ends_server)]
    going_on = [("Continue", f"besom agent {path}"), ("Stop", f"besom stop {name} ends the sweep"), ("", ends_server)]
    return [*steps, *going_on]
