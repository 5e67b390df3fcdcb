"""``asks_besom.py URL TOKEN ROUNDS JSON``: how long one ask for a run takes, of each sweep in turns.

JSON: a name → its sweeps, which are used up one after another. The answer: p50 and p99 of each name, in ms.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from answer import answer

from besom.client.connection import Connection


def main(url: str, token: str, rounds: int, sweeps: dict[str, list[str]]) -> None:
    call = Connection(url, token).call
    agents = {name: [agent(call, sweep) for sweep in some] for name, some in sweeps.items()}
    took: dict[str, list[float]] = {name: [] for name in agents}
    for number in range(rounds):
        for name, uids in agents.items():
            took[name].append(ask_and_end(call, uids[number * len(uids) // rounds]))
    answer(**{name: percentiles(times) for name, times in took.items()})


def agent(call: Callable[..., Any], sweep: str) -> str:
    uid = os.urandom(8).hex()
    call("POST", "/api/v1/agents", {"uid": uid, "sweep_id": sweep, "pid": os.getpid()})
    return uid


def ask_and_end(call: Callable[..., Any], agent: str) -> float:
    begun = time.perf_counter()
    run = call("POST", f"/api/v1/agents/{agent}/claim", {"request_id": os.urandom(8).hex()})
    took_s = time.perf_counter() - begun
    call("POST", f"/api/v1/runs/{run['uid']}/attempts/{run['attempt']}/finish", {"exit_code": 0})
    return took_s


def percentiles(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {"p50_ms": ordered[len(ordered) // 2] * 1000, "p99_ms": ordered[len(ordered) * 99 // 100] * 1000}


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4]))
