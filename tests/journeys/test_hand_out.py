"""Many agents at one server: each point goes to one of them, and each gets its turn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

AGENTS = 32
RUNS = 320
# One agent without a training: asks, ends, asks. It begins when all of them are there.
AGENT = """
    import json, os, pathlib, sys, time
    from besom.client.connection import Connection

    server, sweep, me = Connection(sys.argv[1], os.environ["TOKEN"]), sys.argv[2], sys.argv[3]
    server.call("POST", "/api/v1/agents", {"uid": me, "sweep_id": sweep})
    pathlib.Path(f"{me}.ready").touch()
    while not pathlib.Path("go").exists():
        time.sleep(0.005)

    def ask():
        return {"request_id": os.urandom(8).hex()}

    points = []
    run = server.call("POST", f"/api/v1/agents/{me}/claim", ask(), patience_s=30)
    while run["kind"] != "finish":
        if run["kind"] == "wait":
            time.sleep(0.05)
            run = server.call("POST", f"/api/v1/agents/{me}/claim", ask(), patience_s=30)
            continue
        points.append(run["params"])
        path = f"/api/v1/runs/{run['uid']}/attempts/{run['attempt']}/finish"
        run = server.call("POST", path, {"exit_code": 0, "next": ask()}, patience_s=30)["next"]
    pathlib.Path(f"{me}.json").write_text(json.dumps(points))
"""


def test_thirty_two_processes_at_once_share_a_grid_without_error_or_repeat(workshop: Any, wait_until: Any) -> None:
    place = workshop.place(agent=AGENT)
    sweep = workshop.sweep({"x": {"values": list(range(RUNS // 10))}, "y": {"values": list(range(10))}})
    server = workshop.server
    agents = [
        workshop.begin("agent.py", server.url, sweep, f"agent{number}", place=place, module=False, TOKEN=server.token)
        for number in range(AGENTS)
    ]
    wait_until(lambda: len(list(place.glob("*.ready"))) == AGENTS)
    (place / "go").touch()
    for agent in agents:
        assert agent.end(0) == ""
    points = [tuple(point.values()) for point in taken(place)]
    assert len(points) == len(set(points)) == RUNS
    state = workshop.state(sweep)
    assert (state["state"], state["runs"]["finished"], sum(state["runs"].values())) == ("finished", RUNS, RUNS)


def taken(place: Path) -> list[dict[str, int]]:
    """The params of all runs that the agents were given."""
    return [point for file in sorted(place.glob("*.json")) for point in json.loads(file.read_text())]
