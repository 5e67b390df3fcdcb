"""How a program on this machine finds the server of this user, and tells a live one from a stale file.

The server writes ``server.json`` (mode 0600) into its data folder when it listens and removes it when it ends.
"""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import NamedTuple

from besom.common.places import write_private

FILE = "server.json"
TOKEN_FILE = "token"
API_VERSION = 1


class Discovery(NamedTuple):
    """A running server: where it answers and which process on which boot of which host it is.

    ``background`` says that `besom server start` started it, so that a newer program may restart it.
    """

    url: str
    pid: int
    pid_started: str
    host: str
    boot_id: str
    server_id: str
    version: str
    api: int
    background: bool = False


def host_name() -> str:
    """The name of this machine."""
    return socket.gethostname()


def boot_id() -> str:
    """A word that changes when the machine restarts; empty where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def pid_space() -> str:
    """A word for the processes that this process's pids name; empty where the system has none.

    Containers may share host name and boot, and still not see each other's processes.
    """
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def process_started(pid: int) -> str | None:
    """When the process began, in the system's own unit; None if there is no such process, "" where unknowable.

    A pid alone names another process after a while; pid and start together do not.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
        except PermissionError:
            return ""
        return ""
    except OSError:
        return None
    fields = stat[stat.rindex(b")") + 2 :].split()
    if fields[0] in (b"Z", b"X"):
        return None
    return fields[19].decode()


def write_discovery(data: Path, discovery: Discovery) -> None:
    """Puts the file into the data folder."""
    write_private(data / FILE, json.dumps(discovery._asdict(), indent=1))


def read_discovery(data: Path) -> Discovery | None:
    """What the file says, alive or not; None without a readable file."""
    try:
        found = json.loads((data / FILE).read_text(encoding="utf-8"))
        # A server of a later version may have more to tell.
        return Discovery(**{name: found[name] for name in found.keys() & set(Discovery._fields)})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def is_alive(discovery: Discovery) -> bool:
    """True if the process that wrote the file still runs on this host."""
    if discovery.host != host_name() or discovery.boot_id != boot_id():
        return False
    started = process_started(discovery.pid)
    return started is not None and started == discovery.pid_started


def read_token(data: Path) -> str | None:
    """The local token in the data folder; None if there is none that we may read."""
    try:
        return (data / TOKEN_FILE).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
