"""Handing out runs: how many a second, how soon, to how many processes, out of how large a sweep.

``python bench/hand_out.py [--db URL] [--seconds S] [--processes N …] [--only ROW …] [--out FOLDER]``

Each process is an agent of its own: it asks for a run of three parameters and ends it, over and over (`overhead` sets
other tools beside that). The server, its folders and all processes belong to the measurement and are gone afterwards.
Every `measure_…` returns plain numbers.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy

from besom.client.connection import Connection
from besom.common import spool_format
from besom.common.discovery import read_discovery, read_token
from besom.operations import agents as agent_operations
from besom.operations import runs as operations
from besom.operations import sweeps
from besom.store.database import Database
from besom.wire.agents import Claim, HandOut, NewAgent
from besom.wire.runs import FinishRun
from besom.wire.sweeps import NewSweep

RANDOM = {"method": "random", "parameters": {name: {"min": 0.0, "max": 1.0} for name in "abc"}}


# ---- a server of one's own


@contextlib.contextmanager
def own_server(db: str | None = None) -> Iterator[tuple[Connection, dict[str, str], int]]:
    """A fresh server as users start it: a connection with its admin token, its environment and its pid."""
    with tempfile.TemporaryDirectory(prefix="besom-bench-") as folder:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BESOM_")}
        environ = {**kept, "BESOM_DIR": folder, **({"BESOM_DB": db} if db else {})}
        besom = [sys.executable, "-m", "besom", "server"]
        quiet: dict[str, Any] = {"env": environ, "check": True, "stdout": subprocess.DEVNULL, "timeout": 60}
        subprocess.run([*besom, "start"], **quiet)
        data = Path(folder, "data")
        found = read_discovery(data)
        assert found is not None, "the server did not start"
        connection = Connection(found.url, read_token(data))
        try:
            yield connection, environ, found.pid
        finally:
            connection.close()
            subprocess.run([*besom, "stop"], **quiet)


def make_sweep(server: Connection, **config: Any) -> str:
    """A sweep's id."""
    body = {"request_id": os.urandom(8).hex(), "config": {"program": "train.py", "project": "bench", **config}}
    return str(server.call("POST", "/api/v1/sweeps", body)["id"])


def make_agent(server: Connection, sweep: str) -> str:
    """An agent's uid."""
    uid = os.urandom(8).hex()
    server.call("POST", "/api/v1/agents", {"uid": uid, "sweep_id": sweep, "host": "bench"})
    return uid


def claim(server: Connection, agent: str) -> dict[str, Any]:
    """The next run."""
    answer: dict[str, Any] = server.call("POST", f"/api/v1/agents/{agent}/claim", {"request_id": os.urandom(8).hex()})
    return answer


def finish(server: Connection, run: dict[str, Any], following: bool = False) -> dict[str, Any]:
    """Ends a run; with ``following`` the next one is asked for in the same request."""
    ask = {"next": {"request_id": os.urandom(8).hex()}} if following else {}
    path = f"/api/v1/runs/{run['uid']}/attempts/{run['attempt']}/finish"
    answer: dict[str, Any] = server.call("POST", path, {"exit_code": 0, **ask})
    return answer


# ---- claims a second


def work(url: str, token: str, sweep: str, folder: str, number: str, seconds: float, merged: bool) -> None:
    """One agent: asks and ends until the time is over, then writes down what it saw."""
    server = Connection(url, token)
    agent = make_agent(server, sweep)
    Path(folder, f"{number}.ready").touch()
    while not Path(folder, "go").exists():
        time.sleep(0.002)
    asks: list[float] = []
    points: list[Any] = []
    errors, end = 0, time.monotonic() + seconds
    run = claim(server, agent) if merged else None
    while time.monotonic() < end:
        try:
            begun = time.perf_counter()
            if run is not None:
                ended, run = run, finish(server, run, following=True)["next"]
                asks.append(time.perf_counter() - begun)
            else:
                ended = claim(server, agent)
                asks.append(time.perf_counter() - begun)
                finish(server, ended)
            points.append(sorted(ended["params"].items()))
        except Exception as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            errors += 1
    if run is not None:
        finish(server, run)
    Path(folder, f"{number}.json").write_text(json.dumps({"asks": asks, "points": points, "errors": errors}))


def measure_rate(processes: int, seconds: float, *, merged: bool = True, db: str | None = None) -> dict[str, float]:
    """Runs claimed and finished a second by so many agents on a fresh server, and what else counts.

    ``merged``: the end of a run and the ask for the next one are one request, as agents do it.
    """
    with own_server(db) as (server, _, pid), tempfile.TemporaryDirectory() as folder:
        sweep = make_sweep(server, **RANDOM)
        words = ["--work", server.url, str(server.token), sweep, folder]
        before = cpu_s(pid)
        found = in_turn([sys.executable, __file__, *words], folder, processes, seconds, "merged" if merged else "two")
        return {**found, "server_cpu_ms_a_run": 1000 * (cpu_s(pid) - before) / max(1, found["runs"])}


def in_turn(command: Sequence[str], folder: str, processes: int, seconds: float, *more: str) -> dict[str, float]:
    """Starts the processes, lets them go together, and adds up what they wrote down."""
    begun = [subprocess.Popen([*command, str(number), str(seconds), *more]) for number in range(processes)]
    wait_for(lambda: len(list(Path(folder).glob("*.ready"))) == processes)
    Path(folder, "go").touch()
    for process in begun:
        assert process.wait(timeout=seconds + 120) == 0, "a process of the measurement failed"
    saw = [json.loads(Path(folder, f"{number}.json").read_text()) for number in range(processes)]
    points = [json.dumps(point) for one in saw for point in one["points"]]
    counts = [len(one["points"]) for one in saw]
    asks = [ask for one in saw for ask in one["asks"]]
    return {
        "processes": processes,
        "runs": len(points),
        "runs_a_second": len(points) / seconds,
        "ask_p50_ms": 1000 * quantile(asks, 0.5),
        "ask_p99_ms": 1000 * quantile(asks, 0.99),
        "errors": sum(one["errors"] for one in saw),
        "twice": len(points) - len(set(points)),
        "least_to_most": min(counts) / max(1, max(counts)),
    }


# ---- how large the sweep is


def measure_grid(points: Sequence[int], rounds: int = 300) -> dict[str, float]:
    """Milliseconds (median) of one claim from grids of about these sizes, asked in turns on one server."""
    with own_server() as (server, _, _pid):
        takers = {}
        for size in points:
            values = list(range(round(size ** (1 / 3)))) if size > 100 else list(range(size))
            names = "abc" if size > 100 else "a"
            sweeps = [
                make_sweep(server, method="grid", parameters={name: {"values": values} for name in names})
                for _ in range(1 if size > rounds else -(-rounds // size))
            ]
            takers[size] = [make_agent(server, sweep) for sweep in sweeps for _ in range(1)]
        took: dict[int, list[float]] = {size: [] for size in points}
        for number in range(rounds):
            for size, agents in takers.items():
                agent = agents[number * len(agents) // rounds]
                begun = time.perf_counter()
                run = claim(server, agent)
                took[size].append(time.perf_counter() - begun)
                finish(server, run)
        return {f"grid_{size}_ms": 1000 * statistics.median(times) for size, times in took.items()}


def measure_large(small: int = 100, large: int = 100_000, rounds: int = 300) -> dict[str, float]:
    """Milliseconds of one claim (p50, p99) from a sweep of few and of many finished runs, asked in turns.

    The runs before are made by the operations that agents' requests call, before the server starts.
    """
    with tempfile.TemporaryDirectory(prefix="besom-bench-") as place:
        url = f"sqlite:///{place}/large.db"
        with contextlib.closing(Database.open(url)) as database:
            filled = {size: fill(database, size) for size in (small, large)}
        with own_server(url) as (server, _, _pid):
            return compare(server, {size: make_agent(server, sweep) for size, sweep in filled.items()}, rounds)


def compare(server: Connection, agents: dict[int, str], rounds: int) -> dict[str, float]:
    """Milliseconds of one claim by each agent, in turns."""
    took: dict[int, list[float]] = {size: [] for size in agents}
    for _ in range(rounds):
        for size, agent in agents.items():
            begun = time.perf_counter()
            run = claim(server, agent)
            took[size].append(time.perf_counter() - begun)
            finish(server, run)
    return {
        f"runs_{size}_{name}_ms": 1000 * quantile(times, q)
        for size, times in took.items()
        for name, q in (("p50", 0.5), ("p99", 0.99))
    }


def fill(database: Database, runs: int) -> str:
    """Makes a sweep with so many finished runs, by the operations that agents' requests call; returns its id."""
    new = NewSweep(request_id=os.urandom(8).hex(), config={"program": "train.py", "project": "bench", **RANDOM})
    sweep = database.write_now(sweeps.create, new, entity="bench", now=time.time())
    agent = NewAgent(uid=os.urandom(8).hex(), sweep_id=sweep, host="bench")
    database.write_now(agent_operations.register, agent, "bench", time.time())

    def some(c: sqlalchemy.Connection, count: int) -> None:
        for _ in range(count):
            run = operations.claim(c, agent.uid, Claim(request_id=os.urandom(8).hex()), time.time())
            assert isinstance(run, HandOut), run
            operations.finish(c, run.uid, run.attempt, FinishRun(exit_code=0), time.time())

    for first in range(0, runs, 500):
        database.write_now(some, min(500, runs - first))
    return sweep


# ---- many agents that log


def measure_agents(agents: int = 200, seconds: float = 20.0, steps: int = 50, metrics: int = 10) -> dict[str, float]:
    """Heartbeats (ms) and the server's CPU (cores) while each of many agents posts rows once a second.

    Each second an agent sends ``steps`` rows of ``metrics`` numbers in one request and a heartbeat every five.
    """
    with own_server() as (server, _, pid), tempfile.TemporaryDirectory() as folder:
        sweep = make_sweep(server, metric={"name": "m0"}, **RANDOM)
        hands = 4
        words = [server.url, str(server.token), sweep, folder, str(agents // hands), str(steps), str(metrics)]
        begun = [
            subprocess.Popen([sys.executable, __file__, "--beat", *words, str(number), str(seconds)])
            for number in range(hands)
        ]
        wait_for(lambda: len(list(Path(folder).glob("*.ready"))) == hands, 180)
        Path(folder, "go").touch()
        time.sleep(2)
        cpu, at = cpu_s(pid), time.monotonic()
        time.sleep(max(1.0, seconds - 4))
        cpu, at = cpu_s(pid) - cpu, time.monotonic() - at
        for process in begun:
            assert process.wait(timeout=seconds + 120) == 0, "a process of the measurement failed"
        saw = [json.loads(Path(folder, f"{number}.json").read_text()) for number in range(hands)]
        beats = [beat for one in saw for beat in one["beats"]]
        posts = [post for one in saw for post in one["posts"]]
        return {
            "agents": agents,
            "heartbeat_p50_ms": 1000 * quantile(beats, 0.5),
            "heartbeat_p99_ms": 1000 * quantile(beats, 0.99),
            "post_p99_ms": 1000 * quantile(posts, 0.99),
            "posts_a_second": len(posts) / seconds,
            "server_cores": cpu / at,
        }


def beat(
    url: str, token: str, sweep: str, folder: str, agents: int, steps: int, metrics: int, number: str, seconds: float
) -> None:
    """Some agents in one process, each with its own line: a request every second, spread over the second."""
    lines = [Connection(url, token) for _ in range(agents)]
    uids = [make_agent(line, sweep) for line in lines]
    runs = [claim(line, uid) for line, uid in zip(lines, uids, strict=True)]
    offsets = [0] * agents
    names = tuple(f"m{metric}" for metric in range(metrics))
    posts: list[float] = []
    beats: list[float] = []
    Path(folder, f"{number}.ready").touch()
    while not Path(folder, "go").exists():
        time.sleep(0.002)
    begun = time.monotonic()
    for second in range(int(seconds)):
        for which in range(agents):
            time.sleep(max(0.0, begun + second + which / agents - time.monotonic()))
            line, run = lines[which], runs[which]
            data = rows(names, second * steps, steps, header=second == 0)
            path = f"/api/v1/runs/{run['uid']}/attempts/1/streams/w/history"
            at = time.perf_counter()
            line.call("POST", path, data=data, query={"offset": offsets[which]})
            posts.append(time.perf_counter() - at)
            offsets[which] += len(data)
            if (second + which) % 5 == 0:
                held = {"runs": [{"uid": run["uid"], "attempt": 1}]}
                at = time.perf_counter()
                line.call("POST", f"/api/v1/agents/{uids[which]}/heartbeat", held)
                beats.append(time.perf_counter() - at)
    Path(folder, f"{number}.json").write_text(json.dumps({"posts": posts, "beats": beats}))


def rows(names: tuple[str, ...], first: int, count: int, *, header: bool) -> bytes:
    """The bytes of some rows as the client writes them."""
    kind = {"t": "kind", "kind": 1, "keys": list(names)}
    begin = spool_format.HEADER + spool_format.json_record(kind) if header else b""
    packer = spool_format.row_struct(len(names))
    values = [1.0 / (number + 2) for number in range(len(names))]
    return begin + b"".join(packer.pack(1, step, 1000.0 + step, *values) for step in range(first, first + count))


def measure_idle(seconds: float = 30.0, db: str | None = None) -> dict[str, float]:
    """The share of a core (per cent) that a server takes while nobody asks it anything."""
    with own_server(db) as (_, _, pid):
        time.sleep(3)
        before = cpu_s(pid)
        time.sleep(seconds)
        return {"idle_per_cent_of_a_core": 100 * (cpu_s(pid) - before) / seconds}


# ---- small things


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def quantile(values: Sequence[float], q: float) -> float:
    """The value below which the share ``q`` of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))] if ordered else float("nan")


def wait_for(condition: Any, timeout_s: float = 60.0) -> None:
    """Waits until the condition holds."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "the processes of the measurement did not get ready"
        time.sleep(0.01)


# ---- from the command line


def main() -> None:
    """Measures what was asked for, prints a table, keeps JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--db", metavar="URL", help="of an empty database, instead of a fresh SQLite file")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--processes", type=int, nargs="*", default=[8, 32])
    parser.add_argument("--only", nargs="*", choices=["rate", "grid", "large", "agents", "idle"])
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    wanted = options.only or ["rate", "grid", "large", "agents", "idle"]
    found: dict[str, dict[str, float]] = {}
    for processes in options.processes if "rate" in wanted else ():
        for name, merged in (("one request", True), ("two requests", False)):
            found[f"{name}, {processes} processes"] = measure_rate(
                processes, options.seconds, merged=merged, db=options.db
            )
    if "grid" in wanted:
        found["grid"] = measure_grid([10, 10**9])
    if "large" in wanted:
        found["large"] = measure_large(large=options.large)
    if "agents" in wanted:
        found["agents"] = measure_agents()
    if "idle" in wanted:
        found["idle"] = measure_idle()
    print("| what | figures |\n| --- | --- |")
    for name, figures in found.items():
        print(f"| {name} | {', '.join(f'{key} {value:,.4g}' for key, value in figures.items())} |")
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "hand_out.json").write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    words = sys.argv[2:]
    if sys.argv[1:2] == ["--work"]:
        work(words[0], words[1], words[2], words[3], words[4], float(words[5]), words[6] == "merged")
    elif sys.argv[1:2] == ["--beat"]:
        agents, steps, metrics = map(int, words[4:7])
        beat(words[0], words[1], words[2], words[3], agents, steps, metrics, words[7], float(words[8]))
    else:
        main()
