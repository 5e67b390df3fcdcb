"""The monkey's world: a server, perhaps a PostgreSQL, a bad line, machines with agents, scripts. All real processes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import monkey_script
from common.postgres import Postgres
from common.processes import below, parents
from disks import Disk
from monkey import DISKS, KINDS, LINE, NEEDS_POSTGRES, Fault
from proxy import Proxy

from besom.agents.exit_codes import ExitCode
from besom.cli.errors import UNEXPECTED
from besom.client.connection import Connection
from besom.common.discovery import is_alive, process_started, read_discovery, read_token

_LOOK_S = 0.05
# After that an agent that died has a successor, as under any process manager.
_AGAIN_S = 0.5
# An agent that ended so is not tried again.
_NOTHING_LEFT = (ExitCode.DONE, ExitCode.SWEEP_ENDED)
# How long a victim of a certain kind is waited for.
_PATIENCE_S = 3.0


class World:
    """``agents`` agents on two machines (the last one alone on the second) train one sweep of ``runs`` points."""

    def __init__(
        self, folder: Path, *, seed: int, runs: int, agents: int = 3, database: str = "sqlite", lease_s: float = 4.0,
        rows: int = 30, pause_s: float = 0.03, patience_s: float = 600.0,
    ) -> None:  # fmt: skip
        self.folder, self.seed, self.lease_s = folder, seed, lease_s
        self.journals, self.place = folder / "journals", folder / "place"
        for each in (self.journals, self.place):
            each.mkdir(parents=True)
        shutil.copy(monkey_script.__file__, self.place / "train.py")
        self.mark = f"MONKEY_WORLD={os.getpid()}-{seed}-{database}-{time.monotonic_ns()}"
        self.environ = self._environ(seed, rows, pause_s, patience_s)
        self.exits: list[tuple[int, bool]] = []
        self.guards: dict[int, str | None] = {}
        self._agents: list[tuple[int, subprocess.Popen[bytes]]] = []
        self._killed: set[int] = set()
        self._due = [0.0] * agents
        self._begun = 0
        self.postgres: Postgres | None = None
        with contextlib.ExitStack() as ends:
            self.data_disk = ends.enter_context(Disk(folder / "server" / "data", 48))
            self.spool_disk = ends.enter_context(Disk(folder / "b", 16))
            if database == "postgresql":
                self.postgres = ends.enter_context(contextlib.closing(Postgres()))
                self.environ["BESOM_DB"] = self.postgres.database("besom")
            ends.callback(self._end_all)
            self.start_server()
            self.proxy = ends.enter_context(contextlib.closing(Proxy(self._address, seed)))
            self.sweep = self._make_sweep(runs)
            self._ends = ends.pop_all()

    def _environ(self, seed: int, rows: int, pause_s: float, patience_s: float) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("BESOM_", "WANDB_"))}
        name, _, value = self.mark.partition("=")
        return {
            **kept, name: value, "BESOM_DIR": str(self.folder / "server"),
            "PATH": str(Path(sys.executable).parent) + os.pathsep + kept["PATH"],
            "MONKEY_SEED": str(seed), "MONKEY_ROWS": str(rows), "MONKEY_PAUSE": str(pause_s),
            "MONKEY_JOURNALS": str(self.journals), "BESOM_AGENT_DISABLE_FLAPPING": "true",
            "BESOM_AGENT_MAX_INITIAL_FAILURES": "100000", "BESOM_AGENT_SERVER_PATIENCE": str(patience_s),
        }  # fmt: skip

    # ---- what can be done

    @property
    def kinds(self) -> list[str]:
        """The faults that this world can have."""
        without = set() if self.postgres is not None else set(NEEDS_POSTGRES)
        if self.postgres is not None:
            without.add("full_data")
        if not self.spool_disk.is_own:
            # What limits a script would limit its journal too.
            without.add("full_spool")
        return [kind for kind in KINDS if kind not in without]

    def play(self, faults: list[Fault], tell: Callable[[str], None] = lambda line: None) -> list[tuple[Fault, bool]]:
        """Lets the faults happen one after another while agents train; (fault, whether it met somebody).

        A bad line may go on while the next fault happens.
        """
        done: list[tuple[Fault, bool]] = []
        before: dict[int, int] = {}
        for fault in faults:
            if not self.rest(fault.after_s):
                break
            if fault.kind in LINE:
                self._judge_line(done, before)
                before = {len(done): self.proxy.hits[fault.kind]}
            hit = self.perform(fault)
            tell(str(fault) if hit else f"{fault}: met nobody")
            done.append((fault, hit))
        self._judge_line(done, before)
        return done

    def _judge_line(self, done: list[tuple[Fault, bool]], before: dict[int, int]) -> None:
        """Whether the last bad line met somebody is known only when it is over."""
        for at, hits in before.items():
            done[at] = (done[at][0], self.proxy.hits[done[at][0].kind] > hits)

    def perform(self, fault: Fault) -> bool:
        """One fault, from its beginning to its end; False if it met nobody."""
        if fault.kind in LINE:
            self.proxy.disturb(fault.kind, fault.lasts_s)
            return self.rest(fault.lasts_s if fault.which % 3 else 0.0)
        if fault.kind in DISKS:
            disk = self.data_disk if fault.kind == "full_data" else self.spool_disk
            with disk.full([pid for pid in [self.server_pid] if pid is not None]):
                self.rest(fault.lasts_s)
            return True
        return bool(getattr(self, f"_{fault.kind}")(fault))

    def rest(self, seconds: float) -> bool:
        """Lets time pass and keeps the agents alive; False when the sweep has ended and they have gone."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not self.tend():
                return False
            time.sleep(_LOOK_S)
        return True

    def tend(self) -> bool:
        """Starts successors of dead agents; False when an agent has found the sweep ended and none is left."""
        now = time.monotonic()
        for at, process in list(self._agents):
            code = process.poll()
            if code is not None:
                self._agents.remove((at, process))
                self.exits.append((code, process.pid in self._killed))
                self._due[at] = float("inf") if code in _NOTHING_LEFT else now + _AGAIN_S
        for at, due in enumerate(self._due):
            if due <= now and all(other != at for other, _ in self._agents):
                self._start_agent(at)
        return bool(self._agents) or any(due < float("inf") for due in self._due)

    def wait_for_the_end(self, timeout_s: float) -> bool:
        """Waits until every agent has gone because nothing is left to do."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            # Whoever follows an agent that died of a mistake of Besom's own would make the same one.
            if any(code == UNEXPECTED for code, _ in self.exits):
                return False
            if not self.rest(0.3):
                if self.api.call("GET", f"/api/v1/sweeps/{self.sweep}")["state"] == "finished":
                    return True
                self._due = [0.0] * len(self._due)
        return False

    # ---- processes

    def _start_agent(self, at: int) -> None:
        machine = self.folder / ("b" if at and at == len(self._due) - 1 else "a")
        environ = {
            **self.environ, "BESOM_DIR": str(machine), "BESOM_URL": self.proxy.url,
            "BESOM_TOKEN": read_token(self.folder / "server" / "data") or "",
        }  # fmt: skip
        environ.pop("BESOM_DB", None)
        self._begun += 1
        with (self.folder / f"agent{self._begun}.txt").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "besom", "agent", self.sweep], env=environ, cwd=self.place,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._agents.append((at, process))

    def _besom(self, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "besom", *args], env={**self.environ, **environ}, cwd=self.place, check=False,
            stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", timeout=120,
        )  # fmt: skip

    def start_server(self) -> None:
        done = self._besom("server", "start", "--port", "0", "--lease", str(self.lease_s))
        assert done.returncode == 0, done.stderr

    def _address(self) -> tuple[str, int] | None:
        found = read_discovery(self.folder / "server" / "data")
        if found is None or not is_alive(found):
            return None
        where = urlsplit(found.url)
        return str(where.hostname), int(where.port or 0)

    @property
    def server_pid(self) -> int | None:
        found = read_discovery(self.folder / "server" / "data")
        return found.pid if found is not None and is_alive(found) else None

    def processes(self) -> dict[int, list[str]]:
        """The command lines of every process that bears this world's mark."""
        mark = b"\0" + self.mark.encode() + b"\0"
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in b"\0" + (process / "environ").read_bytes():
                    line = (process / "cmdline").read_bytes().rstrip(b"\0").decode(errors="replace")
                    if line:
                        found[int(process.name)] = line.split("\0")
        return found

    def scripts(self) -> list[int]:
        """The pids of the trainings."""
        found = self.processes()
        return sorted(pid for pid, line in found.items() if any(word.endswith("train.py") for word in line[:4]))

    def _note_guards(self) -> None:
        """An agent's guard bears no mark: it is known as a child of an agent."""
        started = parents()
        agents = {process.pid for _, process in self._agents}
        marked = self.processes()
        for pid, parent in started.items():
            if parent in agents and pid not in marked:
                self.guards[pid] = process_started(pid)

    def _kill(self, pids: list[int], number: signal.Signals = signal.SIGKILL) -> bool:
        self._note_guards()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        return bool(pids)

    def _agent_pids(self) -> list[int]:
        return [process.pid for _, process in self._agents if process.poll() is None]

    def _kill_agents(self, pids: list[int]) -> bool:
        self._killed.update(pids)
        return self._kill(pids)

    # ---- faults

    def _kill_script(self, fault: Fault) -> bool:
        return self._kill(one_of(self.scripts(), fault.which))

    def _preempt_script(self, fault: Fault) -> bool:
        return self._kill(one_of(self.scripts(), fault.which), signal.SIGTERM)

    def _kill_agent(self, fault: Fault) -> bool:
        return self._kill_agents(one_of(self._agent_pids(), fault.which))

    def _kill_agent_of_stubborn(self, fault: Fault) -> bool:
        """An agent whose child does not hear SIGTERM; one is waited for a little."""
        end = time.monotonic() + _PATIENCE_S
        while not (victims := self._agents_of_stubborn()) and time.monotonic() < end:
            self.rest(_LOOK_S)
        return self._kill_agents(one_of(victims, fault.which))

    def _agents_of_stubborn(self) -> list[int]:
        started, agents = parents(), self._agent_pids()
        found = set()
        for pid, line in self.processes().items():
            x = [word.removeprefix("--x=") for word in line if word.startswith("--x=")]
            if x and monkey_script.character(int(x[0])) == "stubborn":
                found.add(started.get(pid))
        return [pid for pid in agents if pid in found]

    def _kill_server(self, fault: Fault) -> bool:
        pid = self.server_pid
        hit = self._kill([] if pid is None else [pid])
        self.rest(fault.lasts_s)
        self.start_server()
        return hit

    def _server_away(self, fault: Fault) -> bool:
        hit = self._besom("server", "stop").returncode == 0
        self.rest(fault.lasts_s)
        self.start_server()
        return hit

    def _kill_database(self, fault: Fault) -> bool:
        assert self.postgres is not None
        self.postgres.kill()
        self.rest(fault.lasts_s)
        self.postgres.start()
        return True

    def _kill_everything(self, fault: Fault) -> bool:
        agents, pid = self._agent_pids(), self.server_pid
        everybody = [*self.scripts(), *agents, *([] if pid is None else [pid])]
        self._killed.update(agents)
        self._kill(everybody[:: -1 if fault.which % 2 else 1])
        if self.postgres is not None:
            self.postgres.kill()
            self.postgres.start()
        time.sleep(fault.lasts_s)
        self.start_server()
        return True

    def _sleep(self, fault: Fault) -> bool:
        self._note_guards()
        asleep = [*self.processes(), *self.guards]
        with self._stopped(asleep):
            time.sleep(fault.lasts_s)
        return bool(asleep)

    def _freeze_agent(self, fault: Fault) -> bool:
        family = [each for pid in one_of(self._agent_pids(), fault.which) for each in (pid, *below(pid))]
        with self._stopped(family):
            self.rest(fault.lasts_s)
        return bool(family)

    @contextlib.contextmanager
    def _stopped(self, pids: list[int]) -> Iterator[None]:
        self._kill(pids, signal.SIGSTOP)
        try:
            yield
        finally:
            self._kill(pids, signal.SIGCONT)

    # ---- looking

    @property
    def api(self) -> Connection:
        """A good line to the server."""
        where = self._address()
        assert where is not None, "no server runs"
        return Connection(f"http://{where[0]}:{where[1]}", read_token(self.folder / "server" / "data"))

    def _make_sweep(self, runs: int) -> str:
        config = {
            "method": "grid", "program": "train.py", "project": "monkey",
            "metric": {"name": "loss", "goal": "minimize"}, "parameters": {"x": {"values": list(range(runs))}},
        }  # fmt: skip
        return str(self.api.call("POST", "/api/v1/sweeps", {"request_id": self.mark[-20:], "config": config})["id"])

    def sync(self) -> list[str]:
        """Sends what still lies on the machines; what could not be sent."""
        url = self.api.url
        token = read_token(self.folder / "server" / "data") or ""
        said = []
        for machine in ("a", "b"):
            done = self._besom("sync", BESOM_DIR=str(self.folder / machine), BESOM_URL=url, BESOM_TOKEN=token)
            said += [] if done.returncode == 0 else [f"besom sync on {machine}: {done.stderr}"]
        return said

    def read_journals(self) -> list[list[dict[str, Any]]]:
        """Each script's journal; a last line that was cut is left out."""
        found = []
        for file in sorted(self.journals.glob("*.jsonl")):
            lines = file.read_bytes().split(b"\n")
            found.append([json.loads(line) for line in lines[:-1]])
        return [journal for journal in found if journal]

    def orphans(self) -> list[str]:
        """Processes that should be gone: all but the server."""
        there = {pid: " ".join(line) for pid, line in self.processes().items() if pid != self.server_pid}
        guards = [pid for pid, started in self.guards.items() if started and process_started(pid) == started]
        there |= dict.fromkeys(guards, "the guard of an agent")
        return [f"{pid}: {line[:150]}" for pid, line in there.items()]

    def close(self) -> None:
        """Ends everything."""
        self._ends.close()

    def _end_all(self) -> None:
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for _, process in self._agents:
            process.wait()
        end = time.monotonic() + 20
        while self.processes() and time.monotonic() < end:
            time.sleep(_LOOK_S)


def one_of(victims: list[int], which: int) -> list[int]:
    """A list of one victim, of none where there is none."""
    return [victims[which % len(victims)]] if victims else []
