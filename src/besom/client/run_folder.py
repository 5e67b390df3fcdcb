"""The folder of one run on disk: the format that the client, agents and `besom sync` share.

::

    <state>/runs/<run uid>/
        config.json                     what is known of the run before it starts (table below)
        <attempt>-<writer>/history.bin  the spool of one writing process (`common/spool_format.py`)
        <attempt>-<writer>/console.log  what a process printed
        files/                          what `run.save()` kept
        stop                            {"reason": …}: the run should end
        end-<attempt>.json              how an attempt without an agent ended, until the server has heard it
        done-<attempt>                  the server has confirmed the end of this attempt
        refused                         it did not take what a dead process left: `besom sync` asks again
        process.json                    the process of a run without an agent: its pid and start time
        agent-<attempt>.json            the same of the agent that watches the attempt, and how far that has come

``config.json`` holds ``uid, name, display_name, entity, project, sweep_id, attempt, params, swept, url, sweep_url,
metric, resumed``; a run without an agent has ``new_run`` beside them, the request that introduces it to a server.
What ships itself has ``mode``, ``meant_for`` (the server's address as the user gave it) and, once it answered,
``server`` (its id).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from besom.common.places import write_private
from besom.errors import UsageError

_WRITER = re.compile(r"([0-9]+)-([A-Za-z0-9_]+)")
_AGENT = re.compile(r"agent-([0-9]+)\.json")
# Whoever ships has the disk hold on to what was written this often.
FSYNC_S = 5.0
_LAST = ("process.json", "config.json")
STREAM_FILES = {"history": "history.bin", "console": "console.log"}


class Stream(NamedTuple):
    """One file of a run folder that belongs on the server."""

    attempt: int
    writer: str
    kind: str
    file: Path


class RunFolder:
    """Reads and writes one run folder. Nothing is kept in memory: two processes may hold the same folder."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @property
    def uid(self) -> str:
        """The run's uid, which is the folder's name."""
        return self.path.name

    # ---- what is known of the run

    def write_config(self, facts: Mapping[str, Any], *, durable: bool = True) -> None:
        """Makes the folder and writes ``config.json``, whole or not at all."""
        write_private(self.path / "config.json", json.dumps(dict(facts)), durable=durable)

    def config(self) -> dict[str, Any]:
        """What ``config.json`` holds; raises UsageError when there is none to read."""
        file = self.path / "config.json"
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"{file} cannot be read ({error}): the run folder is not whole") from None
        if not isinstance(found, dict):
            raise UsageError(f"{file} does not hold an object: the run folder is not whole")
        return found

    def known(self) -> dict[str, Any]:
        """What ``config.json`` holds; empty when there is none to read."""
        return self._read("config.json") or {}

    def is_writable(self) -> bool:
        """True if this process can make files in the folder."""
        return os.access(self.path, os.W_OK | os.X_OK) and self.path.is_dir()

    # ---- streams

    def new_writer(self, attempt: int) -> str:
        """Claims a writer's name for this process (``w1``, ``w2`` …) by making its folder."""
        number = 1
        while True:
            writer = f"w{number}"
            try:
                os.mkdir(self.path / f"{attempt}-{writer}", 0o700)
                return writer
            except FileExistsError:
                number += 1

    def stream_file(self, attempt: int, writer: str, kind: str) -> Path:
        """Where the stream of ``kind`` ("history" or "console") lies; its folder may not exist yet."""
        return self.path / f"{attempt}-{writer}" / STREAM_FILES[kind]

    def streams(self, attempt: int | None = None) -> list[Stream]:
        """Every stream file there is, of one attempt or of all, in order of attempt and writer."""
        found = []
        try:
            entries = sorted(entry.name for entry in os.scandir(self.path) if entry.is_dir())
        except FileNotFoundError:
            return []
        for name in entries:
            match = _WRITER.fullmatch(name)
            if match is None or (attempt is not None and int(match[1]) != attempt):
                continue
            for kind, file_name in STREAM_FILES.items():
                file = os.path.join(self.path, name, file_name)
                if os.path.exists(file):
                    found.append(Stream(int(match[1]), match[2], kind, Path(file)))
        return sorted(found, key=lambda stream: (stream.attempt, stream.writer, stream.kind))

    def fsync(self, attempt: int) -> None:
        """Makes what was written of an attempt, and what is known of the run, survive a power cut."""
        known = (self.path / "config.json", self.path / f"end-{attempt}.json")
        for file in (*known, *(stream.file for stream in self.streams(attempt))):
            # A file that is not there has nothing to lose.
            with contextlib.suppress(OSError):
                descriptor = os.open(file, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)

    @property
    def files(self) -> Path:
        """Where `run.save()` keeps files."""
        return self.path / "files"

    # ---- flags

    def ask_to_stop(self, reason: str) -> None:
        """Raises the stop flag."""
        write_private(self.path / "stop", json.dumps({"reason": reason}), durable=False)

    def stop_reason(self) -> str | None:
        """Why the run should end; None while it may go on."""
        found = self._read("stop")
        return None if found is None else str(found.get("reason") or "asked to stop")

    def clear_stop(self) -> None:
        """Takes the stop flag away, before another attempt."""
        with contextlib.suppress(FileNotFoundError):
            (self.path / "stop").unlink()

    def write_end(self, attempt: int, finish: Mapping[str, Any]) -> None:
        """Keeps the request that tells the server how the attempt ended (fields of ``FinishRun``).

        Safe from a kill; from a power cut after `fsync`.
        """
        write_private(self.path / f"end-{attempt}.json", json.dumps(dict(finish)), durable=False)

    def end(self, attempt: int) -> dict[str, Any] | None:
        """The kept end of an attempt; None if it has not ended or an agent watches it."""
        return self._read(f"end-{attempt}.json")

    def mark_done(self, attempt: int) -> None:
        """Notes that the server has confirmed the end of the attempt with all its rows."""
        write_private(self.path / f"done-{attempt}", "", durable=False)

    def discard(self) -> None:
        """Removes what the server has by now: everything, except the files that `run.save()` kept."""
        if not self.files.is_dir():
            _remove(self.path)
            return
        for stream in self.streams():
            _remove(stream.file.parent)

    def is_done(self, attempt: int) -> bool:
        """True if nothing of the attempt is left to tell the server."""
        return (self.path / f"done-{attempt}").exists()

    # ---- owners

    def write_owner(self, name: str, facts: Mapping[str, Any]) -> None:
        """Writes ``process.json`` (``name="process"``). No power cut matters: the owner dies of it."""
        write_private(self.path / f"{name}.json", json.dumps(dict(facts)), durable=False)

    def owner(self, name: str) -> dict[str, Any] | None:
        """What the owner's file holds; None without one."""
        return self._read(f"{name}.json")

    def agent_file(self, attempt: int) -> Path:
        """Where the agent of an attempt says that it watches it."""
        return self.path / f"agent-{attempt}.json"

    def agents(self) -> dict[int, dict[str, Any]]:
        """What the files of agents hold, by attempt."""
        with contextlib.suppress(OSError):
            names = [match for entry in os.scandir(self.path) if (match := _AGENT.fullmatch(entry.name))]
            found = {int(match[1]): self._read(match[0]) for match in names}
            return {attempt: facts for attempt, facts in sorted(found.items()) if facts is not None}
        return {}

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            found = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None


def _comes_late(name: str) -> int:
    """Whoever clears up may die meanwhile: what tells that the rest is needed no longer goes after the rest."""
    return 2 + _LAST.index(name) if name in _LAST else int(name.startswith("done-"))


def _remove(folder: Path) -> None:
    """Removes a folder and what is in it, as far as it can.

    Not by shutil: what it imports makes Python forget that Ctrl-C is on its way to end the process.
    """
    for place, folders, files in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            for name in sorted(files, key=_comes_late):
                os.unlink(os.path.join(place, name))
            for name in folders:
                os.rmdir(os.path.join(place, name))
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def this_process() -> dict[str, Any]:
    """What ``process.json`` says of the process that asks."""
    # Only runs without an agent pay for these imports.
    from besom.common.discovery import boot_id, host_name, pid_space, process_started

    pid = os.getpid()
    return {
        "pid": pid,
        "pid_started": process_started(pid),
        "host": host_name(),
        "boot_id": boot_id(),
        "pid_space": pid_space(),
    }


def owner_is_alive(owner: Mapping[str, Any] | None) -> bool:
    """True if the process of an owner's file still runs; one that cannot be seen from here is taken for alive."""
    from besom.common.discovery import boot_id, host_name, pid_space, process_started

    if owner is None or "pid" not in owner:
        return False
    if owner.get("host", host_name()) != host_name():
        return True
    if owner.get("boot_id", boot_id()) != boot_id():
        return False
    if owner.get("pid_space", pid_space()) != pid_space():
        return True
    started = process_started(int(owner["pid"]))
    return started is not None and started == owner.get("pid_started", started)
