"""How numbers, lengths of time and errors read, in the agent's lines, on the command line and on the page."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

NONE = "–"
NEVER_READ = "set by the sweep but never read by the script"
TRACEBACK = "Traceback (most recent call last):"


def score_text(score: Any) -> str:
    """A score with four significant digits, so that scores below each other line up."""
    if score is None:
        return NONE
    return f"{score:#.4g}".removesuffix(".") if isinstance(score, float) else str(score)


def unread_sentence(unread: Sequence[str]) -> str:
    """What to tell the user of swept names whose values nobody took; the script and the server say the same."""
    names = ", ".join(f"`{name}`" for name in unread[:-1]) + (" and " if unread[1:] else "") + f"`{unread[-1]}`"
    verb = "were" if unread[1:] else "was"
    return (
        f'{names} {verb} {NEVER_READ}: use run.config["{unread[0]}"] where the script has its own value, or parse '
        f"--{unread[0]}=… from the command line"
    )


def duration(seconds: float | None) -> str:
    """``3.2 s``, ``45 s``, ``2 min 05 s``, ``3 h 20 min``, ``4 d 6 h``."""
    if seconds is None:
        return NONE
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = whole // 60
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def exception_at(lines: Sequence[str]) -> int:
    """Which line names what was raised: of the last traceback the first one that is no frame, else the last line."""
    begins = [at for at, line in enumerate(lines) if line.strip() == TRACEBACK]
    if begins:
        margin = _indentation(lines[begins[-1]])
        for at in range(begins[-1] + 1, len(lines)):
            if lines[at].strip() and _indentation(lines[at]) <= margin:
                return at
    return len(lines) - 1


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def error_line(error: str | None) -> str:
    """Why a run failed, in one line: the exception with the first line of its message; empty without an error."""
    lines = [line for line in (error or "").splitlines() if line.strip()]
    if not lines:
        return ""
    at = exception_at(lines)
    said, rest = lines[at].strip(), lines[at + 1 : at + 2]
    # A message that begins with a line end leaves the exception's name alone.
    return f"{said} {rest[0].strip()}" if rest and said.endswith(":") and " " not in said else said
