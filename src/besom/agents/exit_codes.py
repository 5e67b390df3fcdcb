"""Why an agent ended, as a number for scripts and a sentence for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of `besom agent`. ``help`` is the text of the docs."""

    help: str

    def __new__(cls, value: int, text: str) -> ExitCode:
        """An int with a help text."""
        code = int.__new__(cls, value)
        code._value_ = value
        code.help = text
        return code

    DONE = 0, "the sweep has ended by itself, or the agent has started as many runs as `--count` says"
    ERROR = 1, "the server refused or failed, or Besom itself did; the sentence says what"
    USAGE = 2, "the command line has a mistake; nothing was started"
    FLAPPING = 3, "three runs failed within 60 seconds of the agent's start"
    INITIAL_FAILURES = 4, "the first runs failed (5 of them, or BESOM_AGENT_MAX_INITIAL_FAILURES)"
    CONSECUTIVE_FAILURES = 5, "as many runs in a row failed as `--max-consecutive-failed-runs` says"
    CANCELED = 6, "the sweep was canceled: its runs were killed"
    DELETED = 7, "the sweep was deleted"
    TURNED_OFF = 8, "somebody turned the agent off (`besom agents off`)"
    UNREACHABLE = 9, "no server could be reached"
    CANNOT_START = (
        10,
        (
            "the sweep's command cannot be started here: program not found or not executable, or a variable that the"
            " command needs is not set; no run was taken"
        ),
    )
    NOT_FOUND = 11, "there is no such sweep"
    SWEEP_ENDED = 12, "the sweep had ended before the agent came"
    INTERRUPTED = 130, "Ctrl-C or a signal ended the agent; the sweep goes on"


@dataclass(frozen=True, slots=True)
class Ending:
    """How an agent ended: the code, why in one sentence, and what the user may do next (empty: nothing)."""

    code: ExitCode
    reason: str
    advice: str = ""
