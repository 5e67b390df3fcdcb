"""What a dead agent of this machine left: its child is ended, what the child logged is shipped, its end is told.

Two agents that start at once may do this for the same run: each part of it may be done twice.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from besom.agents.link import Link
from besom.client.connection import part
from besom.client.run_folder import RunFolder
from besom.client.shipping import FolderShipper
from besom.common.discovery import boot_id, host_name, process_started
from besom.errors import BesomError, NotFound

# The log of a failed run is kept on the machine where it ran for so long.
KEEP_LOGS_S = 7 * 24 * 3600.0
_KEPT_MARK = "kept-log"


def owner_facts(agent_uid: str, server_id: str | None, attempt: int, child: Mapping[str, Any] | None) -> dict[str, Any]:
    """What `agent.json` of a run folder holds."""
    return {
        "agent": {"uid": agent_uid, "pid": os.getpid(), "started": process_started(os.getpid())},
        "child": child,
        "host": host_name(),
        "boot_id": boot_id(),
        "server": server_id,
        "attempt": attempt,
    }


def clear_up(runs: Path, link: Link, say: Callable[[str], None]) -> None:
    """Ends and ships what dead agents left in the folder of runs, as far as this server is concerned."""
    for folder, owner in list(_orphans(runs)):
        _end_child(owner)
        if owner.get("server") != link.server_id:
            continue
        attempt, name = int(owner.get("attempt") or 1), _name(folder)
        try:
            _tell_server(folder, attempt, link)
        except NotFound:
            # The run was deleted: nobody wants its rows.
            remove(folder)
            continue
        except BesomError as error:
            say(f"what an earlier agent left in {folder.path} stays there: {error}")
            continue
        folder.mark_done(attempt)
        remove(folder)
        say(f"shipped what an earlier agent left of run {name}")
    _forget_old_logs(runs)


def remove(folder: RunFolder, *, keep_log: bool = False) -> None:
    """Deletes what has been shipped; what `run.save()` kept stays, and with ``keep_log`` what the run printed."""
    if keep_log:
        (folder.path / _KEPT_MARK).touch()
        for stream in folder.streams():
            if stream.kind != "console":
                stream.file.unlink(missing_ok=True)
        (folder.path / "agent.json").unlink(missing_ok=True)
        return
    with contextlib.suppress(FileNotFoundError):
        for entry in os.scandir(folder.path):
            if not entry.is_dir(follow_symlinks=False):
                Path(entry.path).unlink(missing_ok=True)
            elif entry.path != str(folder.files):
                shutil.rmtree(entry.path, ignore_errors=True)
    for empty in (folder.files, folder.path):
        with contextlib.suppress(OSError):
            empty.rmdir()


def _orphans(runs: Path) -> Iterator[tuple[RunFolder, dict[str, Any]]]:
    for folder in _folders(runs):
        owner = folder.owner("agent")
        if owner is not None and owner.get("host") == host_name() and not _alive(owner, "agent"):
            yield folder, owner


def _folders(runs: Path) -> list[RunFolder]:
    try:
        return [RunFolder(entry.path) for entry in os.scandir(runs) if entry.is_dir()]
    except OSError:
        return []


def _alive(owner: Mapping[str, Any], who: str) -> bool:
    facts = owner.get(who)
    if not isinstance(facts, dict) or owner.get("boot_id") != boot_id():
        return False
    started = process_started(int(facts.get("pid") or 0))
    return started is not None and started == facts.get("started")


def _end_child(owner: Mapping[str, Any]) -> None:
    if not _alive(owner, "child"):
        return
    pid = int(owner["child"]["pid"])
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    # A process that still writes must not be shipped as ended; nothing survives KILL for long.
    end = time.monotonic() + 10
    while _alive(owner, "child") and time.monotonic() < end:
        time.sleep(0.01)


def _tell_server(folder: RunFolder, attempt: int, link: Link) -> None:
    shipper = FolderShipper(link.connection, folder, attempt)
    shipper.ship()
    end = folder.end(attempt) or {"error": "its agent died"}
    path = f"/api/v1/runs/{part(folder.uid)}/attempts/{attempt}/finish"
    link.ask("POST", path, {**end, "offsets": shipper.offsets()})


def _name(folder: RunFolder) -> str:
    try:
        return str(folder.config().get("name") or folder.uid)
    except BesomError:
        return folder.uid


def _forget_old_logs(runs: Path) -> None:
    for folder in _folders(runs):
        mark = folder.path / _KEPT_MARK
        with contextlib.suppress(OSError):
            if time.time() - mark.stat().st_mtime > KEEP_LOGS_S:
                remove(folder)
