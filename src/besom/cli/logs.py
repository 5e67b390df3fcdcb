"""`besom logs`: what a run printed, as it was printed."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from besom.cli.errors import complain

if TYPE_CHECKING:
    from besom.client.connection import Connection

_PIECE = 256 * 1024
# Bytes of the last lines at most, and characters of one line among others.
_MOST_TAIL = 4 * 1024 * 1024
_MOST_SHOWN = 1000
# How often -f asks for more, in seconds.
_LOOK_S = 0.5
_ENDED = ("finished", "stopped", "killed", "failed", "crashed")


@click.command()
@click.argument("run")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended.")
@click.option("-n", "--lines", type=click.IntRange(min=1), help="Only the last lines.")
@click.option("--attempt", type=click.IntRange(min=1), help="An earlier attempt of the run, by its number.")
def logs(run: str, follow: bool, lines: int | None, attempt: int | None) -> None:
    """Print what RUN printed, stdout and stderr together.

    \b
    Example:
      besom logs 4n8xq2zc -f
    """
    from besom.cli.lookup import connect, find_run
    from besom.errors import NotFound

    connection = connect()
    found = find_run(connection, run)
    number = attempt or found["attempt"]
    if number > found["attempt"]:
        raise NotFound(f"run {run} has {found['attempt']} attempts: there is no attempt {number}")
    offset = 0
    if lines is not None:
        text, offset = end_of_log(connection, found["uid"], number, lines)
        _put(text)
        if len(text) == _MOST_TAIL:
            complain(f"the last lines are longer than {_MOST_TAIL:,} bytes: this is their end, without -n all is shown")
    printed = False
    rest = _follow(connection, run, number, offset) if follow else _rest(connection, found, number, offset)
    for piece in rest:
        printed = True
        _put(piece)
    if not printed and offset == 0:
        complain(f"run {found['id']} has printed nothing{' yet' if found['state'] not in _ENDED else ''}")


def last_lines(connection: Connection, run: dict[str, Any], count: int) -> list[str]:
    """The last lines of the run's last attempt, as text; of a progress bar its last state."""
    from besom.cli.local_agents import visible

    text, _ = end_of_log(connection, run["uid"], run["attempt"], count)
    lines = [visible(line) for line in text.decode("utf-8", "replace").rstrip("\n").split("\n") if line]
    return [line if len(line) <= _MOST_SHOWN else f"{line[:_MOST_SHOWN]}…" for line in lines]


def end_of_log(connection: Connection, uid: str, attempt: int, count: int) -> tuple[bytes, int]:
    """The last ``count`` lines and the offset after them; reads no more of a long log than it must.

    Of lines that are longer than `_MOST_TAIL` bytes together, the end.
    """
    window = _PIECE // 4
    while True:
        found = list(pieces(connection, uid, attempt, -window))
        text = b"".join(piece for piece, _ in found)
        offset = found[-1][1] if found else 0
        if len(text) == offset or text.count(b"\n") > count or window == _MOST_TAIL:
            return tail(text, count), offset
        window = min(4 * window, _MOST_TAIL)


def tail(text: bytes, count: int) -> bytes:
    """The last ``count`` lines of the text."""
    end = b"\n" if text.endswith(b"\n") else b""
    return b"\n".join(text.removesuffix(b"\n").split(b"\n")[-count:]) + end


def pieces(connection: Connection, uid: str, attempt: int, offset: int) -> Iterator[tuple[bytes, int]]:
    """The log from ``offset`` on, piece by piece, each with the offset after it; ends at what is there now.

    A negative ``offset`` counts from the end.
    """
    from besom.client.connection import part

    while True:
        query = {"attempt": attempt, "offset": offset, "limit": _PIECE}
        piece, headers = connection.raw("GET", f"/api/v1/runs/{part(uid)}/console", query=query)
        if not piece:
            return
        offset = int(headers.get("x-besom-next-offset", offset + len(piece)))
        yield piece, offset


def _rest(connection: Connection, run: dict[str, Any], attempt: int, offset: int) -> Iterator[bytes]:
    for piece, _ in pieces(connection, run["uid"], attempt, offset):
        yield piece


def _follow(connection: Connection, path: str, attempt: int, offset: int) -> Iterator[bytes]:
    """Pieces as they come. The run's state is asked before the log: nothing said before the end is missed."""
    from besom.cli.lookup import find_run

    while True:
        run = find_run(connection, path)
        over = run["state"] in _ENDED or run["attempt"] > attempt
        for piece, after in pieces(connection, run["uid"], attempt, offset):
            offset = after
            yield piece
        if over:
            return
        time.sleep(_LOOK_S)


def _put(piece: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
