"""What a dead agent of this machine left: its child is ended, what the child logged is shipped, its end is told.

Two agents that start at once may do this for the same run: each part of it may be done twice.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from besom.agents.link import Link
from besom.client.connection import part
from besom.client.run_folder import RunFolder, owner_is_alive
from besom.client.shipping import FolderShipper
from besom.common.discovery import boot_id, host_name, pid_space, process_started
from besom.common.places import make_private
from besom.errors import BesomError, NotFound

# The log of a failed run is kept on the machine where it ran for so long.
KEEP_LOGS_S = 7 * 24 * 3600.0
# What a run needs to begin: its config, its note, the first rows.
ROOM_BYTES = 64 * 1024
# A folder that has just been made gets its first file in this time.
_EMPTY_S = 60.0
_KEPT_MARK = "kept-log"
_OF_ATTEMPT = re.compile(r"(?:agent-|done-|end-)?([0-9]+)(?:-[A-Za-z0-9_]+|\.json)?")
_LOST = {"error": "its agent died while it ran: the agent was killed, or its machine went down"}


def clear_up(runs: Path, link: Link, say: Callable[[str], None]) -> set[tuple[str, int]]:
    """Ends and ships what dead agents left in the folder of runs, as far as this server is concerned.

    Returns uid and attempt of what it found there.
    """
    found = {(folder.uid, attempt) for folder in _folders(runs) for attempt in clear_up_folder(folder, link, say)}
    _forget_old(runs)
    return found


def clear_up_folder(folder: RunFolder, link: Link, say: Callable[[str], None]) -> list[int]:
    """The same for one run folder, by attempt: an earlier one of the same run may have been another agent's."""
    dead = []
    for attempt, owner in folder.agents().items():
        if owner.get("host") == host_name() and not owner_is_alive(owner):
            dead.append(attempt)
            _clear_up(folder, attempt, owner, link, say)
    return dead


def tell_of_dead(
    neighbours: Iterable[Mapping[str, Any]], found: set[tuple[str, int]], link: Link, say: Callable[[str], None]
) -> None:
    """Reports the end of attempts whose agents (``AgentAnswer.neighbours``) died on this machine before a note of them.

    ``found`` is what `clear_up` found. Raises ServerUnreachable and what the server refuses.
    """
    for neighbour in neighbours:
        if _is_gone(neighbour):
            for run in neighbour["runs"]:
                if (run["uid"], int(run["attempt"])) in found:
                    continue
                with contextlib.suppress(NotFound):
                    link.ask("POST", _finish_path(run["uid"], int(run["attempt"])), _LOST)
                    say(f"told the server that agent {neighbour['uid'][:8]} of this machine died with a run in hand")


def check_room(runs: Path) -> None:
    """Raises OSError where no run can be kept: a run that was taken there would be lost, and the next one too."""
    make_private(runs)
    probe = runs / f".room-{os.getpid()}"
    try:
        probe.write_bytes(bytes(ROOM_BYTES))
    finally:
        probe.unlink(missing_ok=True)


def process_place() -> str:
    """Within what a pid and its start time name one process for good: this boot, these processes; empty: unknown."""
    boot, space = boot_id(), pid_space()
    return f"{boot} {space}" if boot and space else ""


def remove(folder: RunFolder, attempt: int, *, keep_log: bool = False) -> None:
    """Deletes what has been shipped of an attempt, and the folder if nothing else is in it.

    What `run.save()` kept stays, and with ``keep_log`` what the run printed.
    """
    if keep_log:
        folder.mark_done(attempt)
        (folder.path / _KEPT_MARK).touch()
    note = folder.agent_file(attempt).name
    others, left, last = set(), [], []
    for entry in _entries(folder.place):
        match = _OF_ATTEMPT.fullmatch(entry.name)
        if match is None or int(match[1]) != attempt:
            left.append(entry)
            others.update([int(match[1])] if match else [])
        elif entry.name == note:
            # It leads who comes after us here, should we die meanwhile.
            last.append(entry)
        else:
            _delete(entry, keep_log)
    if not keep_log and all(folder.is_done(other) for other in others):
        _empty(folder, [*left, *last])
    elif last:
        _delete(last[0])


def _empty(folder: RunFolder, entries: Iterable[os.DirEntry[str]]) -> None:
    """Deletes these entries in their order, but for saved files, and the folder if it is empty then."""
    saved = folder.files.name
    for entry in entries:
        if entry.name == saved:
            with contextlib.suppress(OSError):
                os.rmdir(entry.path)
        else:
            _delete(entry)
    with contextlib.suppress(OSError):
        os.rmdir(folder.place)


def _delete(entry: os.DirEntry[str], keep_log: bool = False) -> None:
    with contextlib.suppress(FileNotFoundError):
        if not entry.is_dir(follow_symlinks=False):
            if not (keep_log and entry.name.startswith("done-")):
                os.unlink(entry.path)
            return
        for inside in _entries(entry.path):
            if inside.is_dir(follow_symlinks=False):
                shutil.rmtree(inside.path, ignore_errors=True)
            elif not (keep_log and inside.name == "console.log"):
                os.unlink(inside.path)
        with contextlib.suppress(OSError):
            os.rmdir(entry.path)


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _folders(runs: Path) -> Iterator[RunFolder]:
    return (RunFolder(entry.path) for entry in _entries(runs) if entry.is_dir())


def _clear_up(
    folder: RunFolder, attempt: int, owner: Mapping[str, Any], link: Link, say: Callable[[str], None]
) -> None:
    _end_child(owner)
    if owner.get("server") != link.server_id:
        return
    name = folder.known().get("name") or folder.uid
    try:
        if not owner.get("told"):
            _tell_server(folder, attempt, owner, link)
            say(f"shipped what an earlier agent left of run {name}")
    except NotFound:
        # The run was deleted: nobody wants its rows.
        pass
    except BesomError as error:
        say(f"what an earlier agent left in {folder.path} stays there: {error}")
        return
    remove(folder, attempt)


def _end_child(owner: Mapping[str, Any]) -> None:
    if not _child_lives(owner):
        return
    pid = int(owner["child"]["pid"])
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    # A process that still writes must not be shipped as ended; nothing survives KILL for long.
    end = time.monotonic() + 10
    while _child_lives(owner) and time.monotonic() < end:
        time.sleep(0.01)


def _child_lives(owner: Mapping[str, Any]) -> bool:
    child = owner.get("child")
    if not isinstance(child, dict) or owner.get("boot_id") != boot_id() or owner.get("pid_space") != pid_space():
        return False
    started = process_started(int(child.get("pid") or 0))
    return started is not None and started == child.get("started")


def _tell_server(folder: RunFolder, attempt: int, owner: Mapping[str, Any], link: Link) -> None:
    shipper = FolderShipper(link.connection, folder, attempt)
    shipper.ship()
    link.ask("POST", _finish_path(folder.uid, attempt), {**(owner.get("end") or _LOST), "offsets": shipper.offsets()})


def _finish_path(run_uid: str, attempt: int) -> str:
    return f"/api/v1/runs/{part(run_uid)}/attempts/{attempt}/finish"


def _is_gone(neighbour: Mapping[str, Any]) -> bool:
    """True only if its process is known to be gone: what cannot be seen from here is left to the lease."""
    pid, place = int(neighbour["pid"]), process_place()
    if not place or neighbour["boot_id"] != place or pid <= 0:
        return False
    started = process_started(pid)
    if started:
        return bool(started != neighbour["process_started"])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    # What has ended and waits for its parent to take note does nothing any more.
    return started is None


def _forget_old(runs: Path) -> None:
    for folder in _folders(runs):
        with contextlib.suppress(OSError):
            if time.time() - folder.path.stat().st_mtime > _EMPTY_S:
                # Succeeds for an empty one only.
                folder.path.rmdir()
        with contextlib.suppress(OSError):
            if time.time() - (folder.path / _KEPT_MARK).stat().st_mtime > KEEP_LOGS_S:
                _empty(folder, _entries(folder.place))
