"""From exception to what the person at the terminal reads, and the exit code."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable

import click

from besom.common.places import state_folder, write_private
from besom.errors import BesomError, SweepConfigError

INTERRUPTED = 128 + signal.SIGINT
UNEXPECTED = 70


def complain(sentence: str) -> None:
    """``besom: sentence`` on stderr."""
    click.echo(f"besom: {sentence}", err=True)


def explained(command: Callable[[], object]) -> int:
    """Runs the command; returns its exit code, whatever happens inside."""
    try:
        make_printable()
        try:
            code = command()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        return _quiet_pipe()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as mistake:
        complain(_sentence(mistake))
        return mistake.exit_code
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted")
        return INTERRUPTED
    except SweepConfigError as error:
        return _report_problems(error)
    except BesomError as error:
        complain(str(error))
        return error.exit_code
    except Exception as error:
        return _report_unexpected(error)
    return code if isinstance(code, int) else 0


def make_printable() -> None:
    """A terminal that cannot show a character shows ``?`` for it instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]


def _sentence(mistake: click.ClickException) -> str:
    message = mistake.format_message().replace(". (Did", " (Did").rstrip(".")
    message = message[:1].lower() + message[1:] if message[1:2].islower() else message
    context = getattr(mistake, "ctx", None)
    if context is None or context.command_path == "":
        return message
    return f"{message}\n       see `{context.command_path} --help`"


def _report_problems(error: SweepConfigError) -> int:
    count = sum(problem.get("severity", "error") == "error" for problem in error.problems)
    complain(f"Error in configuration file: {count} problem{'s' if count != 1 else ''}")
    click.echo(str(error), err=True)
    return error.exit_code


def _report_unexpected(error: Exception) -> int:
    if os.environ.get("BESOM_DEBUG", "") not in ("", "0"):
        traceback.print_exception(error)
        return UNEXPECTED
    file = state_folder() / "crash.log"
    place = f"the traceback is in {file} (BESOM_DEBUG=1 shows it here)"
    try:
        write_private(file, "".join(traceback.format_exception(error)))
    except OSError:
        place = "BESOM_DEBUG=1 shows the traceback"
    said = " ".join(str(error).split()) or "no message"
    complain(f"a mistake of Besom's own ({type(error).__name__}: {said[:200]}): {place}")
    return UNEXPECTED


def _quiet_pipe() -> int:
    """The reader of a pipe has gone, as ``| head`` does: nobody is left to tell."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE
