"""How the agent's lines read (pure)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from besom.common.wording import TRACEBACK, exception_at

# What each Ctrl-C means, said when it comes; the last line stands for all further ones.
LADDER = (
    "ctrl-c received. Waiting for runs to end. Send ctrl-c again to terminate them.",
    "Terminating and waiting for the run to end. Send ctrl-c again to kill it.",
    "Killing the run.",
)
_ANSI = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
# What is looked at, and what is sent to the server, of a failed run's output.
TAIL_BYTES = 65_536
_SENT_LINES = 20
_SENT_CHARACTERS = 4_000
_SHOWN_LINES = 8
_SHOWN_WORD = 200


def run_place(hand_out: Mapping[str, Any]) -> str:
    """``run 3 of 6``, or ``run 3`` where there is no end."""
    total = hand_out.get("total")
    return f"run {hand_out['number']}" + (f" of {total}" if total else "")


def params_text(params: Mapping[str, Any]) -> str:
    """``batch_size=64 lr=0.001``; nothing for a sweep that sets nothing."""
    return " ".join(_cut(f"{name}={value}") for name, value in params.items())


def command_text(argv: Sequence[str]) -> str:
    """The command as a shell takes it, long words cut. ``${envvar:NAME}`` stays readable: its value is not shown."""
    return " ".join(word if "${envvar:" in word and " " not in word else shlex.quote(word) for word in map(_cut, argv))


def too_long(argv: Sequence[str]) -> str:
    """Why the system does not start a command that is longer than it takes, and what to do."""
    longest = max(argv, key=len)
    return (
        f"{argv[0]!r} cannot be started: a value is too long for a command line ({_cut(longest, 40)} has "
        f"{len(longest)} characters). Leave it out of `command` and read it from besom.config, or pass all values "
        "as the file ${args_json_file}"
    )


def _cut(word: str, most: int = _SHOWN_WORD) -> str:
    return word if len(word) <= most else f"{word[: most - 1]}…"


def how_it_ended(exit_code: int | None, signal_name: str | None) -> str:
    """``exit code 1`` or ``SIGKILL``."""
    return f"exit code {exit_code}" if signal_name is None else signal_name


def last_words(output: bytes) -> list[str]:
    """The end of a failed run's output that says why: its last traceback, else its last lines."""
    text = _ANSI.sub(b"", output).decode("utf-8", "replace")
    # Of a line that was written over and over (a progress bar) the last state counts.
    lines = [line.rstrip("\r").rpartition("\r")[2].rstrip() for line in text.split("\n")]
    begins = [number for number, line in enumerate(lines) if line.strip() == TRACEBACK]
    if begins:
        lines = lines[begins[-1] :]
    lines = [line for line in lines if line and not line.startswith("besom: ")]
    return _shortened(lines, _SENT_LINES) if begins else lines[-5:]


def _shortened(lines: Sequence[str], most: int) -> list[str]:
    """Of a deep stack the last frames, of a long message its first line and its end: the exception is always there."""
    at = exception_at(lines) if lines else 0
    stack, message = list(lines[:at]), list(lines[at:])
    room = most * 3 // 4
    if len(message) > room:
        message = [message[0], "…", *message[2 - room :]]
    left = most - len(message)
    if len(stack) > left:
        stack = [stack[0], *stack[len(stack) - left + 1 :]]
    return stack + message


def error_text(words: Sequence[str]) -> str | None:
    """What the server keeps as the run's error."""
    text = "\n".join(words)
    if len(text) > _SENT_CHARACTERS:
        text = "\n".join(_cut(line, _SENT_CHARACTERS // len(words) - 1) for line in words)
    return text or None


def shown_words(words: Sequence[str]) -> list[str]:
    """What the terminal repeats of it."""
    return [f"  | {line}" for line in _shortened(words, _SHOWN_LINES)]
