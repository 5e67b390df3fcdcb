"""A private PostgreSQL: found, started, killed, started again. The one place that knows how, for tests too."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from common.processes import below

_DIE_S = 10.0


def binaries() -> Path | None:
    """Where PostgreSQL's programs are; None if it is not installed."""
    if (found := shutil.which("pg_config")) is not None:
        bindir = subprocess.run([found, "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
        if Path(bindir, "initdb").exists():
            return Path(bindir)
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return installed[-1].parent if installed else None


class Postgres:
    """Listens on a socket in a folder of its own, and nowhere else; gone when it is closed or its starter has died."""

    def __init__(self, *settings: str) -> None:
        """``settings``, such as ``fsync=off``: beside PostgreSQL's own. Raises RuntimeError if it is not installed."""
        found = binaries()
        if found is None:
            raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")
        self.binaries = found
        # A socket's path must be short, and the folder must be PostgreSQL's own.
        self.folder = Path(tempfile.mkdtemp(prefix="besom-pg-"))
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
        chosen = ["listen_addresses=", "max_connections=200", *settings]
        self._options = " ".join([f"-k {self.folder}", *(f"-c {setting}" for setting in chosen)])
        self._keeper = self._keep()
        try:
            self._run(f"initdb -D {self.folder}/data -U postgres -A trust -E UTF8 --no-locale --no-sync")
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """The address of the database that is always there."""
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def start(self) -> None:
        """Starts it, also after a kill, and waits until it answers."""
        self._run(f"pg_ctl -D {self.folder}/data -w -l {self.folder}/log -o '{self._options}' start")

    def restart(self) -> None:
        """Ends all connections, stops it and starts it again."""
        self._run(f"pg_ctl -D {self.folder}/data -w -l {self.folder}/log -m fast restart")

    def database(self, name: str) -> str:
        """Makes an empty database and returns its address."""
        self._run(f"createdb -h {self.folder} -U postgres {name}")
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def kill(self) -> None:
        """SIGKILL to every process of it, at once."""
        leader = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        pids = [leader, *below(leader)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        end = time.monotonic() + _DIE_S
        while any(Path(f"/proc/{pid}").exists() for pid in pids):
            if time.monotonic() > end:
                raise RuntimeError("PostgreSQL did not die")
            time.sleep(0.01)

    def close(self) -> None:
        """Ends it and removes its folder."""
        self._keeper.communicate(timeout=60)

    def _keep(self) -> subprocess.Popen[bytes]:
        """Ends the server and removes its folder when our end of its pipe is closed, by `close` or by our death."""
        end = f"{self.binaries}/pg_ctl -D {self.folder}/data -m immediate -w stop; rm -rf {self.folder}"
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        command = _as_owner(f"read nothing; {end}")
        return subprocess.Popen(command, stdin=subprocess.PIPE, cwd="/", start_new_session=True, **quiet)

    def _run(self, command: str) -> None:
        """One of PostgreSQL's programs, to its end."""
        # A file, not a pipe: the server that is started keeps it open.
        with tempfile.TemporaryFile() as said:
            done = subprocess.run(
                _as_owner(f"{self.binaries}/{command}"), stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                check=False, timeout=120, cwd="/",
            )  # fmt: skip
            said.seek(0)
            if done.returncode != 0:
                raise RuntimeError(f"{command.split()[0]} failed:\n{said.read().decode(errors='replace')}")


def _as_owner(command: str) -> list[str]:
    """A shell command by a user whom PostgreSQL accepts: it refuses to run as root."""
    return ["su", "postgres", "-s", "/bin/sh", "-c", command] if os.getuid() == 0 else ["/bin/sh", "-c", command]
