"""``claims_besom.py URL TOKEN SWEEP PROCESSES SECONDS``: what an agent asks of the server, without trainings between.

Each process is an agent: it introduces itself, then ends each run in the request that asks for the next one.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from answer import answer
from together import Loop, take_together

from besom.client.connection import Connection


def main(url: str, token: str, sweep: str, processes: int, seconds: float) -> None:
    answer(**take_together(lambda: agent(Connection(url, token), sweep), processes, seconds))


def agent(connection: Connection, sweep: str) -> Loop:
    uid = os.urandom(8).hex()
    body = {"uid": uid, "sweep_id": sweep, "pid": os.getpid(), "function": True}
    connection.call("POST", "/api/v1/agents", body)
    return lambda end: loop(connection.call, uid, end)


def loop(call: Callable[..., Any], uid: str, end: float) -> tuple[list[Any], list[float], list[str]]:
    points: list[Any] = []
    asks: list[float] = []
    errors: list[str] = []
    run = call("POST", f"/api/v1/agents/{uid}/claim", {"request_id": os.urandom(8).hex()})
    while (begun := time.monotonic()) < end:
        try:
            ask = {"exit_code": 0, "next": {"request_id": os.urandom(8).hex()}}
            ended = call("POST", f"/api/v1/runs/{run['uid']}/attempts/{run['attempt']}/finish", ask)
            asks.append(time.monotonic() - begun)
            points.append(tuple(run["params"].values()))
            run = ended["next"]
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}"[:300])
    return points, asks, errors


main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))
