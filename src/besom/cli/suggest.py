"""`besom suggest`: the search on standard input and output, without a server."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from besom.errors import BesomError, SweepConfigError, UsageError, problem_line

_KEYS = ("config", "runs", "seed", "number")


@click.command()
def suggest() -> int:
    """Answer each line of standard input, which describes a sweep and its runs, with the params of the next run.

    Needs no server and keeps nothing: the same line gives the same answer. A line is JSON with `config`, the sweep
    file as an object, and `runs`, the runs so far, those under way included. A run has `id`, `config`, `state`
    (running, finished, stopped, failed, crashed, killed or preempted) and `value`, its score in the metric's own unit
    (a number, "NaN", "Infinity" or null). `history`, the values that it logged one by one, or the rows, tells more of
    a run that was stopped early. `seed` and `number` fix the random numbers; without them they are the config's seed,
    or 0, and the count of the runs.

    The answer is a line too: {"params": {…}, "info": {…}}, or {"params": null} when every point was tried. A line with
    a mistake is answered with {"error": …}, and the exit code is 2 at the end. Every answer is written at once, so
    that a program can ask, run and ask again through two pipes.

    \b
    Example:
      echo '{"config": {"method": "random", "parameters": {"lr": [0.1, 0.2]}}}' | besom suggest
      besom suggest < questions.jsonl > answers.jsonl
    """
    from besom.cli.errors import complain
    from besom.common.json_numbers import dumps

    if sys.stdin.isatty():
        click.echo("besom: reading JSON lines from standard input; Ctrl-D ends them", err=True)
    mistakes = 0
    for number, line in enumerate(sys.stdin.buffer, 1):
        if not line.strip():
            continue
        try:
            answer = _answer(line.rstrip())
        except BesomError as error:
            mistakes += 1
            sentence = f"line {number}: {_one_line(error)}"
            complain(sentence)
            answer = {"error": sentence}
        click.echo(dumps(answer))
    return UsageError.exit_code if mistakes else 0


def _answer(line: bytes) -> dict[str, Any]:
    from besom.engine.suggesting import suggest as next_params

    asked = _read(line)
    unknown = [key for key in asked if key not in _KEYS]
    if unknown:
        raise UsageError(f"there is no key `{unknown[0]}` here: write {', '.join(f'`{key}`' for key in _KEYS)}")
    if not isinstance(asked.get("config"), dict):
        raise UsageError("`config` is missing: write the sweep file as an object")
    return next_params(asked["config"], asked.get("runs", []), asked.get("seed"), asked.get("number"))


def _read(line: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError(f"it is not UTF-8 text (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise UsageError(f"it is not JSON: {error.msg} at column {error.colno}") from None
    except (RecursionError, ValueError) as error:
        raise UsageError(f"it is not JSON that can be read: {error}") from None
    if not isinstance(asked, dict):
        raise UsageError('it is no JSON object: write {"config": …, "runs": […]}')
    return asked


def _one_line(error: BesomError) -> str:
    if isinstance(error, SweepConfigError):
        return "config: " + "; ".join(problem_line(problem) for problem in error.problems)
    return str(error)
