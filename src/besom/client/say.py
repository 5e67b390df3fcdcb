"""Lines for the person at the terminal: on stderr, under Besom's name, none when ``BESOM_SILENT`` says so."""

from __future__ import annotations

import sys

from besom.client.settings import is_on

_said: set[str] = set()


def say(line: str) -> None:
    """Says one line."""
    if not is_on("BESOM_SILENT"):
        _write(f"besom: {line}\n")


def warn(line: str) -> None:
    """Says that something did not go as the script asked."""
    say(f"WARNING {line}")


def warn_once(line: str, about: str = "") -> None:
    """Warns unless this process has been warned of it (``about``, else the line itself)."""
    about = about or line
    if about not in _said:
        _said.add(about)
        warn(line)


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        # A script may have closed its stderr; what is said there then concerns nobody.
        return
