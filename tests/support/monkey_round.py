"""One round: a world, a plan, faults, the end, everything read back, the laws."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import laws
import sqlalchemy
from monkey import Fault, plan
from monkey_world import World

_ORPHANS_S = 15.0
_OPEN = {
    "attempt that runs": "SELECT count(*) FROM attempt WHERE state = 'running'",
    "token of a run": "SELECT count(*) FROM attempt WHERE token_hash IS NOT NULL",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a round went: the faults that met somebody by kind, figures, and the laws that were broken."""

    seed: int
    faults: list[tuple[Fault, bool]]
    broken: list[str]
    runs: int
    attempts: int
    states: dict[str, int]
    attempt_states: dict[str, int]
    logged: int
    found: int
    besides: int
    whole_streams: int
    lost_to_disk: int
    seconds: float

    @property
    def hits(self) -> Counter[str]:
        return Counter(fault.kind for fault, hit in self.faults if hit)

    def story(self) -> str:
        """What a person needs who wants to know why."""
        lines = [f"seed {self.seed}: {len(self.broken)} breaches", *self.broken[:20], "the faults:"]
        return "\n".join(lines + [f"  {fault}{'' if hit else ': met nobody'}" for fault, hit in self.faults])


def play_round(
    folder: Path, *, seed: int, runs: int, faults: int, kinds: list[str] | None = None, away_s: float = 3.0,
    gap_s: float = 1.0, end_s: float = 120.0, tell: Callable[[str], None] = lambda line: None, **world: Any,
) -> Outcome:  # fmt: skip
    """Plays a round in an empty folder. Which runs, faults and rows there are follows from the arguments alone."""
    began = time.monotonic()
    with contextlib.closing(World(folder, seed=seed, runs=runs, **world)) as there:
        chosen = [kind for kind in there.kinds if kinds is None or kind in kinds]
        todo = plan(seed, faults, chosen, lease_s=there.lease_s, away_s=away_s, gap_s=gap_s)
        done = there.play(todo, tell)
        there.proxy.heal()
        ended = there.wait_for_the_end(end_s)
        facts = read_back(there, runs)
    breaches = ([] if ended else [f"the sweep did not end within {end_s:g} s"]) + laws.broken(facts)
    found, besides = laws.found(facts)
    return Outcome(
        seed=seed, faults=done, broken=breaches, runs=len(facts.runs),
        attempts=sum(run["attempt"] for run in facts.runs),
        states=dict(Counter(run["state"] for run in facts.runs)), logged=sum(len(j.kept) for j in facts.journals),
        found=found, besides=besides, whole_streams=laws.whole_streams(facts),
        attempt_states=dict(Counter(attempt["state"] for run in facts.runs for attempt in run["attempts"])),
        lost_to_disk=sum(len(j.lost) for j in facts.journals),
        seconds=time.monotonic() - began,
    )  # fmt: skip


def read_back(there: World, points: int) -> laws.Facts:
    """Everything that the laws look at, by the doors that users have."""
    end = time.monotonic() + _ORPHANS_S
    while (orphans := there.orphans()) and time.monotonic() < end:
        time.sleep(0.1)
    unsent = there.sync()
    with contextlib.closing(there.api) as api:
        sweep = api.call("GET", f"/api/v1/sweeps/{there.sweep}")
        page = api.call("GET", f"/api/v1/sweeps/{there.sweep}/runs", query={"order": "idx"})
        runs = [api.call("GET", f"/api/v1/runs/{run['uid']}") for run in page["runs"]]
        rows, sizes, curves = {}, {}, {}
        for run in runs:
            curves[run["uid"]] = api.call("GET", f"/api/v1/runs/{run['uid']}/history")["rows"]
            for number in range(1, run["attempt"] + 1):
                key, address = (run["uid"], number), f"/api/v1/runs/{run['uid']}"
                found = api.call("GET", f"{address}/history", query={"attempt": number})["rows"]
                if found:
                    rows[key] = found
                sizes[key] = api.call("GET", f"{address}/attempts/{number}/streams/w1/history")["offset"]
        events = read_events(api)
    left_open, integrity = look_into(there)
    return laws.Facts(
        seed=there.seed, points=points, rows_a_run=int(there.environ["MONKEY_ROWS"]), sweep=sweep, runs=runs, rows=rows,
        sizes=sizes, curves=curves, events=events, exits=there.exits, orphans=orphans, left_open=left_open,
        integrity=integrity, unsent=unsent, journals=[laws.Journal.of(lines) for lines in there.read_journals()],
    )  # fmt: skip


def read_events(api: Any) -> list[dict[str, Any]]:
    """All events until now: a last one is made and waited for."""
    mark = f"events until {time.time_ns()}"
    body = {"request_id": mark[-19:], "config": {"method": "random", "parameters": {"y": {"value": 1}}}, "name": mark}
    last = api.call("POST", "/api/v1/sweeps", {**body, "program": "none.py"})["id"]
    found = []
    for event in api.events(0):
        found.append(event)
        if event["sweep"] == last:
            return found
    raise AssertionError("the events ended")


def look_into(there: World) -> tuple[dict[str, int], list[str]]:
    """What is left open in the database, and what is wrong with it."""
    file = f"sqlite:///{there.folder / 'server' / 'data' / 'besom.db'}"
    url = there.environ.get("BESOM_DB", file).replace("postgresql://", "postgresql+psycopg://")
    engine = sqlalchemy.create_engine(url)
    try:
        with engine.connect() as c:
            left = {what: c.execute(sqlalchemy.text(query)).scalar_one() for what, query in _OPEN.items()}
            told = []
            if there.postgres is None:
                told = [row[0] for row in c.execute(sqlalchemy.text("PRAGMA integrity_check"))]
    finally:
        engine.dispose()
    return left, [f"the database is not sound: {line}" for line in told if line != "ok"]
