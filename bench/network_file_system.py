"""SQLite on a network file system: write-ahead log or rollback journal, each held by one process alone.

``.venv/bin/python bench/network_file_system.py [--folder FOLDER …] [--sshfs] [--delay-ms MS] [--rounds N] [--out OUT]``

Measures in a local folder and in each ``--folder`` (name your NFS or Lustre home). ``--sshfs`` mounts a folder of this
machine over SFTP on loopback (needs sshfs and sftp-server), each request ``--delay-ms`` late, as a network would. The
ways take turns; what is measured is the store of the server itself: a commit that waits for the disk, and runs handed
out and ended by eight threads. Everything that is made is removed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import text

from besom.operations import agents, runs, sweeps
from besom.server.file_system import network_kind
from besom.store import dialects
from besom.store.database import Database
from besom.wire.agents import Claim, NewAgent
from besom.wire.runs import FinishRun
from besom.wire.sweeps import NewSweep

THREADS = 8
COMMITS = 60
SECONDS = 3.0
SFTP = Path("/usr/lib/openssh/sftp-server")
# What is compared: SQLite's journal, and whether one process holds the file for itself.
WAYS = {
    "write-ahead log, shared memory": ("WAL", False),
    "write-ahead log, one process": ("WAL", True),
    "rollback journal (persist), one process": ("PERSIST", True),
    "rollback journal (delete), one process": ("DELETE", True),
}
SWEEP = {"method": "random", "program": "t.py", "project": "p", "parameters": {"x": {"min": 0.0, "max": 1.0}}}


@contextlib.contextmanager
def database(folder: Path, way: str) -> Iterator[Database]:
    """The server's store in a fresh file, with the journal that is asked for."""
    journal, exclusive = WAYS[way]
    place = Path(tempfile.mkdtemp(dir=folder, prefix="besom-bench-"))
    usual = dialects.use_wal

    def use_journal(engine: Any) -> None:
        raw = engine.raw_connection()
        found = raw.cursor().execute(f"PRAGMA journal_mode = {journal}").fetchone()[0]
        raw.close()
        assert found.upper() == journal, found

    dialects.use_wal = use_journal
    try:
        with contextlib.closing(Database.open(f"sqlite:///{place / 'besom.db'}", exclusive=exclusive)) as opened:
            yield opened
    finally:
        dialects.use_wal = usual
        shutil.rmtree(place, ignore_errors=True)


def measure_commits(opened: Database) -> list[float]:
    """Seconds of commits that wait for the disk, one after another."""
    taken = []
    for number in range(COMMITS):
        begun = time.perf_counter()
        opened.write_now(lambda c, n=number: c.execute(text(f"INSERT INTO meta VALUES ('bench{n}', 'x')")))
        taken.append(time.perf_counter() - begun)
    return taken


def measure_claims(opened: Database) -> float:
    """Runs that were handed out and ended a second."""
    new = NewSweep(request_id="bench", config=SWEEP)
    sweep = opened.write_now(sweeps.create, new, entity="me", now=time.time())
    end = time.monotonic() + SECONDS
    counts = [0] * THREADS

    def work(number: int) -> None:
        agent = NewAgent(uid=f"agent{number}", sweep_id=sweep, host="box", pid=1)
        opened.write_now(agents.register, agent, "me", time.time())
        while time.monotonic() < end:
            ask = Claim(request_id=f"{number}-{counts[number]}")
            run: Any = opened.write_now(runs.claim, agent.uid, ask, time.time())
            opened.write_now(runs.finish, run.uid, run.attempt, FinishRun(exit_code=0), time.time())
            counts[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS


# ---- a network file system on this machine


def _serve_files(listener: socket.socket, delay_s: float) -> None:
    while True:
        try:
            line, _ = listener.accept()
        except OSError:
            return
        server = subprocess.Popen([SFTP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        threading.Thread(target=_carry, args=(line.recv, server.stdin, delay_s), daemon=True).start()
        threading.Thread(target=_answer, args=(server.stdout, line), daemon=True).start()


def _carry(receive: Any, to: Any, delay_s: float) -> None:
    with contextlib.suppress(OSError, ValueError), to:
        while data := receive(1 << 18):
            time.sleep(delay_s)
            to.write(data)


def _answer(source: Any, line: socket.socket) -> None:
    with contextlib.suppress(OSError, ValueError), source, line:
        while data := source.read(1 << 18):
            line.sendall(data)


@contextlib.contextmanager
def sshfs(delay_s: float) -> Iterator[Path]:
    """A folder that is mounted over SFTP from this machine."""
    base = Path(tempfile.mkdtemp(prefix="besom-sshfs-"))
    far, near = base / "far", base / "near"
    far.mkdir()
    near.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        threading.Thread(target=_serve_files, args=(listener, delay_s), daemon=True).start()
        mount = subprocess.Popen(["sshfs", "-f", "-o", f"directport={port}", f"127.0.0.1:{far}", near])
        try:
            until = time.monotonic() + 20
            while not near.is_mount():
                if mount.poll() is not None or time.monotonic() > until:
                    raise SystemExit("sshfs does not mount here: is FUSE available?")
                time.sleep(0.05)
            yield near
        finally:
            subprocess.run(["fusermount3", "-u", near], check=False)
            mount.wait(20)
            shutil.rmtree(base, ignore_errors=True)


# ---- the table


def measure(folders: dict[str, Path], rounds: int) -> list[dict[str, Any]]:
    """One row for each folder and way; the ways take turns."""
    commits: dict[tuple[str, str], list[float]] = {}
    claims: dict[tuple[str, str], list[float]] = {}
    failed: dict[tuple[str, str], str] = {}
    for _ in range(rounds):
        for name, folder in folders.items():
            for way in WAYS:
                try:
                    with database(folder, way) as opened:
                        commits.setdefault((name, way), []).extend(measure_commits(opened))
                        claims.setdefault((name, way), []).append(measure_claims(opened))
                except Exception as error:
                    failed[name, way] = str(error).splitlines()[0]
    rows = []
    for name in folders:
        for way in WAYS:
            if (name, way) in failed:
                rows.append({"folder": name, "way": way, "failed": failed[name, way]})
                continue
            times = sorted(commits[name, way])
            rows.append({
                "folder": name, "way": way, "commit_p50_ms": 1000 * statistics.median(times),
                "commit_p99_ms": 1000 * times[int(len(times) * 0.99)],
                "runs_a_second": statistics.median(claims[name, way]),
            })  # fmt: skip
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    lines = ["| folder | way | commit p50 / p99 ms | runs handed out and ended a second |", "| --- | --- | --- | --- |"]
    for row in rows:
        if "failed" in row:
            lines.append(f"| {row['folder']} | {row['way']} | fails: {row['failed']} | – |")
        else:
            figures = f"{row['commit_p50_ms']:.2f} / {row['commit_p99_ms']:.1f} | {row['runs_a_second']:,.0f}"
            lines.append(f"| {row['folder']} | {row['way']} | {figures} |")
    return "\n".join(lines)


def main() -> None:
    """Measures, prints the table, keeps the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", action="append", default=[], type=Path, help="a folder to measure in")
    parser.add_argument("--sshfs", action="store_true", help="measure over SFTP on loopback too")
    parser.add_argument("--delay-ms", type=float, default=0.2, help="how late each request arrives there")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="folder for the figures as JSON")
    given = parser.parse_args()
    with contextlib.ExitStack() as mounted:
        local = Path(mounted.enter_context(tempfile.TemporaryDirectory(prefix="besom-local-")))
        folders = {"local disk": local}
        for folder in given.folder:
            folders[f"{folder} ({network_kind(folder) or 'local'})"] = folder
        if given.sshfs:
            folders[f"SFTP, {given.delay_ms:g} ms a request"] = mounted.enter_context(sshfs(given.delay_ms / 1000))
        rows = measure(folders, given.rounds)
    print(table(rows))
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "network_file_system.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
