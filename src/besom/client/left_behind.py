"""Run folders that processes of this machine left behind: killed, or gone before the server had heard everything.

Whoever starts next on this machine ships them, if its server is the one they were meant for. What was recorded
offline waits for `besom sync`, and what an agent watched is its next agent's business.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from besom.client.connection import Connection
from besom.client.run_folder import RunFolder, owner_is_alive
from besom.client.shipping import sync_folder
from besom.errors import BesomError, ServerError, ServerUnreachable

# What the server refused once is left to `besom sync`, which a person reads.
_REFUSED = "refused"


def ship_in_background(
    places: Iterable[Path], connection: Connection, meant_for: str, say: Callable[[str], None], *, but: str = ""
) -> None:
    """`ship` in a thread for each of ``places``, which the end of the process does not wait for.

    ``but`` is the uid of the run that has just begun.
    """
    for runs in places:
        try:
            others = set(os.listdir(runs)) - {but}
        except OSError:
            continue
        if not others:
            continue
        line = Connection(connection.url, connection.token, server_id=connection.server_id)
        work = threading.Thread(target=ship, args=(runs, line, meant_for, say), name="besom-left-behind", daemon=True)
        work.start()


def ship(runs: Path, connection: Connection, meant_for: str, say: Callable[[str], None]) -> int:
    """Ships what was left in the folder of runs for the server of ``connection``; returns how many runs that were.

    ``meant_for`` is what `finding.meant_for` says here. A server that goes away leaves the rest for another time.
    """
    shipped = 0
    for folder, facts in _left_behind(runs):
        if not _same_server(facts, connection, meant_for):
            continue
        try:
            with _alone_with(folder) as alone:
                outcome = sync_folder(connection, folder) if alone else ""
        except (ServerUnreachable, ServerError):
            return shipped
        except (BesomError, OSError) as error:
            with contextlib.suppress(OSError):
                (folder.path / _REFUSED).touch()
            say(f"what run {facts.get('name')} left in {folder.path} was not sent: {error}")
            continue
        if outcome == "sent":
            shipped += 1
            say(f"sent what run {facts.get('name')} had left on this machine")
    return shipped


def _left_behind(runs: Path) -> Iterator[tuple[RunFolder, dict[str, Any]]]:
    """The folders of dead processes that nobody has shipped, with what is known of their runs."""
    try:
        names = sorted(os.listdir(runs))
    except OSError:
        return
    for folder in (RunFolder(runs / name) for name in names):
        owner, facts = folder.owner("process"), folder.known()
        if owner is None or facts.get("mode") != "online" or folder.agents():
            continue
        if not owner_is_alive(owner) and not (folder.path / _REFUSED).exists():
            yield folder, facts


def _same_server(facts: Mapping[str, Any], connection: Connection, meant_for: str) -> bool:
    """True if the run was introduced to this server, or was to be when no server answered."""
    if facts.get("server"):
        return bool(facts["server"] == connection.server_id)
    return facts.get("meant_for") == meant_for


@contextlib.contextmanager
def _alone_with(folder: RunFolder) -> Iterator[bool]:
    """False if another process ships the folder just now: many may start at once."""
    import fcntl

    descriptor = os.open(folder.path / "config.json", os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)
