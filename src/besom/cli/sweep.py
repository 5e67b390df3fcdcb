"""`besom sweep`: creates a sweep; with W&B's option forms it moves one."""

from __future__ import annotations

import click

from besom.cli.sweep_file import SweepOptions, sweep_options
from besom.errors import UsageError


@click.command()
@click.argument("file", metavar="FILE")
@sweep_options
@click.option("--json", "as_json", is_flag=True, help="Print the sweep as JSON instead of the four lines.")
@click.option("--pause", is_flag=True, help="FILE is a sweep's ID: as `besom pause ID`.")
@click.option("--resume", is_flag=True, help="FILE is a sweep's ID: as `besom resume ID`.")
@click.option("--stop", is_flag=True, help="FILE is a sweep's ID: as `besom stop ID`.")
@click.option("--cancel", is_flag=True, help="FILE is a sweep's ID: as `besom cancel ID`.")
@click.option("--update", metavar="ID", hidden=True)
@click.option("--controller", is_flag=True, hidden=True)
def sweep(
    file: str,
    project: str | None,
    entity: str | None,
    name: str | None,
    program: str | None,
    prior_runs: tuple[str, ...],
    as_json: bool,
    update: str | None,
    controller: bool,
    **moves: bool,
) -> None:
    """Create a sweep from FILE (YAML or JSON) and print its id, its page and the line that starts an agent.

    \b
    Example:
      besom sweep sweep.yaml -p fashion-mnist
      besom agent ENTITY/fashion-mnist/ID
    """
    if update is not None:
        raise UsageError(
            f"--update is not needed: `besom edit {update}` changes name, description and run cap of a sweep; "
            "for another search space create a new one"
        )
    if controller:
        raise UsageError("--controller is not built yet: the server chooses the params, leave the option out")
    verbs = [verb for verb, chosen in moves.items() if chosen]
    if len(verbs) > 1:
        raise UsageError(f"only one of --pause --resume --stop --cancel at a time, not {' and '.join(verbs)}")
    if verbs:
        _move(verbs[0], file, as_json)
    else:
        _create(file, SweepOptions(project, entity, name, program, prior_runs), as_json)


def _move(verb: str, path: str, as_json: bool) -> None:
    from besom.cli.output import json_text, write
    from besom.cli.steer import move

    answer = move(verb, path)
    if as_json:
        write(json_text(answer))


def _create(path: str, options: SweepOptions, as_json: bool) -> None:
    from besom.cli.lookup import connect
    from besom.cli.output import json_text, write
    from besom.cli.sweep_file import announce, create_sweep, parse, read_sweep_file

    file = read_sweep_file(path)
    config = parse(file, options)
    click.echo(f"Creating sweep from: {path}", err=as_json)
    answer = create_sweep(connect(), file, options, program=config.program)
    announce(answer, err=as_json)
    if as_json:
        write(json_text(answer))
