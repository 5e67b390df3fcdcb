"""`besom pause`, `resume`, `stop`, `cancel`: four moves of a sweep."""

from __future__ import annotations

from typing import Any

import click

from besom.cli.output import json_text, write

MOVES = {
    "pause": "paused: running runs go on, no new ones are handed out; `besom resume {id}` goes on",
    "resume": "goes on: agents get runs again; `besom agent {path}` adds one",
    "stop": "stopped: running runs finish, then its agents end",
    "cancel": "canceled: its running runs are killed and its agents end",
}


def move(verb: str, path: str) -> dict[str, Any]:
    """Asks the server for the move and says what it means; returns the sweep."""
    from besom.cli.lookup import call_sweep, connect
    from besom.cli.words import sweep_path

    sweep: dict[str, Any] = call_sweep(connect(), "POST", path, verb)
    sentence = MOVES[verb].format(id=sweep["id"], path=sweep_path(sweep))
    click.echo(f"besom: sweep {sweep['id']} {sentence}", err=True)
    return sweep


def _command(verb: str, help_text: str) -> click.Command:
    @click.command(name=verb, help=help_text)
    @click.argument("sweep")
    @click.option("--json", "as_json", is_flag=True, help="Print the sweep as JSON.")
    def run_move(sweep: str, as_json: bool) -> None:
        answer = move(verb, sweep)
        if as_json:
            write(json_text(answer))

    return run_move


pause = _command(
    "pause",
    """Hand out no new runs of SWEEP; running ones go on and agents stay.

    \b
    Example:
      besom pause k3v9x2ab
    """,
)
resume = _command(
    "resume",
    """Hand out runs of SWEEP again after a pause or an end.

    \b
    Example:
      besom resume k3v9x2ab
    """,
)
stop = _command(
    "stop",
    """End SWEEP: running runs finish, no new ones start, agents leave.

    \b
    Example:
      besom stop k3v9x2ab
    """,
)
cancel = _command(
    "cancel",
    """End SWEEP now: running runs are killed, agents leave.

    \b
    Example:
      besom cancel k3v9x2ab
    """,
)
