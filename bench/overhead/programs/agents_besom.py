"""``agents_besom.py URL TOKEN SWEEP SERVER_PID AGENTS SECONDS``: many agents whose runs log, in a few processes.

Each second an agent sends 50 rows of 10 numbers in one request, each in its own moment of the second, and a heartbeat
every five. The server's CPU is taken without the first and the last two seconds.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from typing import Any

from answer import answer

from besom.client.connection import Connection
from besom.common import spool_format

PROCESSES = 4
STEPS = 50
METRICS = tuple(f"m{number}" for number in range(10))
EDGE_S = 2.0


def main(url: str, token: str, sweep: str, server: int, agents: int, seconds: int) -> None:
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(PROCESSES + 1), context.Queue()
    share = agents // PROCESSES
    begun = [
        context.Process(target=some_agents, args=(url, token, sweep, share, seconds, barrier, results))
        for _ in range(PROCESSES)
    ]
    for process in begun:
        process.start()
    barrier.wait(180)
    cores = server_cores(server, seconds)
    found = [results.get(timeout=seconds + 120) for _ in begun]
    for process in begun:
        process.join(60)
    posts = sorted(took for some, _ in found for took in some)
    beats = sorted(took for _, some in found for took in some)
    answer(
        heartbeat_p50_ms=beats[len(beats) // 2] * 1000, heartbeat_p99_ms=beats[len(beats) * 99 // 100] * 1000,
        post_p99_ms=posts[len(posts) * 99 // 100] * 1000, posts_a_second=len(posts) / seconds, server_cores=cores,
    )  # fmt: skip


def server_cores(pid: int, seconds: int) -> float:
    time.sleep(min(EDGE_S, seconds / 4))
    used, begun = cpu_s(pid), time.monotonic()
    time.sleep(max(seconds / 4, seconds - 2 * EDGE_S))
    return (cpu_s(pid) - used) / (time.monotonic() - begun)


def cpu_s(pid: int) -> float:
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Agent:
    """An agent with its own line to the server and one run."""

    def __init__(self, url: str, token: str, sweep: str) -> None:
        self.call = Connection(url, token).call
        self.uid = os.urandom(8).hex()
        self.call("POST", "/api/v1/agents", {"uid": self.uid, "sweep_id": sweep, "host": "bench"})
        self.run = self.call("POST", f"/api/v1/agents/{self.uid}/claim", {"request_id": os.urandom(8).hex()})["uid"]
        self.offset = 0

    def post(self, first: int) -> None:
        data = rows(first)
        path = f"/api/v1/runs/{self.run}/attempts/1/streams/w/history"
        self.call("POST", path, data=data, query={"offset": self.offset})
        self.offset += len(data)

    def beat(self) -> None:
        self.call("POST", f"/api/v1/agents/{self.uid}/heartbeat", {"runs": [{"uid": self.run, "attempt": 1}]})


def some_agents(
    url: str, token: str, sweep: str, count: int, seconds: int, barrier: Any, results: Any
) -> None:  # fmt: skip
    agents = [Agent(url, token, sweep) for _ in range(count)]
    posts: list[float] = []
    beats: list[float] = []
    barrier.wait(180)
    begun = time.monotonic()
    for second in range(seconds):
        for which, agent in enumerate(agents):
            time.sleep(max(0.0, begun + second + which / count - time.monotonic()))
            at = time.perf_counter()
            agent.post(second * STEPS)
            posts.append(time.perf_counter() - at)
            if (second + which) % 5 == 0:
                at = time.perf_counter()
                agent.beat()
                beats.append(time.perf_counter() - at)
    results.put((posts, beats))


def rows(first: int) -> bytes:
    """The bytes of an agent's rows as the client writes them."""
    kind = {"t": "kind", "kind": 1, "keys": list(METRICS)}
    begin = spool_format.HEADER + spool_format.json_record(kind) if first == 0 else b""
    packer = spool_format.row_struct(len(METRICS))
    values = [1.0 / (number + 2) for number in range(len(METRICS))]
    return begin + b"".join(packer.pack(1, step, 1000.0 + step, *values) for step in range(first, first + STEPS))


main(sys.argv[1], sys.argv[2], sys.argv[3], *map(int, sys.argv[4:]))
