"""Sweeps whose method looks at results: suggestions are made ahead by a process of their own, and nothing is lost."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

SPACE = {
    "lr": {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-1},
    "depth": {"min": 1, "max": 8},
    "kind": {"values": ["a", "b", "c"]},
}
METRIC = {"name": "loss", "goal": "minimize"}
FUNCTION = """
    import math, besom
    run = besom.init()
    c = run.config
    run.log({"loss": (math.log10(c["lr"]) + 3) ** 2 + (c["depth"] - 5) ** 2 / 8 + (c["kind"] != "b")})
"""


def method() -> str:
    from besom.search import METHODS

    return "bayes" if "bayes" in METHODS else "tpe"


def model_sweep(workshop: Any, **config: Any) -> str:
    return workshop.sweep(**{"parameters": SPACE, "method": method(), "metric": METRIC, "seed": 5, **config})


class Taker:
    """An agent without a training."""

    def __init__(self, workshop: Any, sweep: str) -> None:
        self._workshop = workshop
        name = os.urandom(8).hex()
        self.path = f"/api/v1/agents/{name}"
        workshop.server.call("POST", "/api/v1/agents", {"uid": name, "sweep_id": sweep})

    def take(self, server: Any = None) -> dict[str, Any]:
        server = server or self._workshop.server
        while True:
            answer = self.ask(server)
            if answer["kind"] != "wait" or not answer["computing"]:
                return answer

    def ask(self, server: Any) -> dict[str, Any]:
        """One claim."""
        found: dict[str, Any] = server.call("POST", f"{self.path}/claim", {"request_id": os.urandom(8).hex()})
        return found

    def finish(self, run: dict[str, Any]) -> None:
        path = f"/api/v1/runs/{run['uid']}/attempts/{run['attempt']}/finish"
        self._workshop.server.call("POST", path, {"exit_code": 0})


def point(run: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(run["params"][name] for name in SPACE)


def children(parent: int) -> list[int]:
    """The processes that a process has started and that live."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def server_pid(workshop: Any) -> int:
    from besom.common.discovery import read_discovery

    found = read_discovery(workshop.data)
    assert found is not None
    return found.pid


def worker_of(workshop: Any) -> int | None:
    found = children(server_pid(workshop))
    return found[0] if found else None


def test_two_agents_train_what_a_model_suggests(workshop: Any) -> None:
    place = workshop.place(train=FUNCTION)
    sweep = model_sweep(workshop, run_cap=12)
    agents = [workshop.begin("agent", sweep, place=place) for _ in range(2)]
    for agent in agents:
        agent.end(0)
    runs = workshop.runs(sweep)
    assert [run["state"] for run in runs] == ["finished"] * 12
    assert len({point(run) for run in runs}) == 12
    sources = [run["search_info"]["source"] for run in runs]
    assert sources[0] == "initial"
    assert set(sources[8:]) <= {"model", "parzen"}
    assert runs[11]["search_info"]["seen"][0][0] == 0
    assert runs[11]["search_info"]["warnings"] == []
    shown = workshop.besom("show", runs[11]["id"]).stdout
    assert "suggested" in shown


def test_a_server_that_is_killed_goes_on_as_if_nothing_had_been(workshop: Any) -> None:
    taken: list[list[Any]] = []
    for is_killed in (False, True):
        sweep = model_sweep(workshop)
        agent = Taker(workshop, sweep)
        points = []
        # No run ends, so that what is known does not depend on who is faster.
        for number in range(7):
            if is_killed and number in (2, 5):
                os.kill(server_pid(workshop), signal.SIGKILL)
                workshop.besom("server", "start")
            run = agent.take()
            points.append(point(run))
        taken.append(points)
    assert taken[0] == taken[1]


def test_a_worker_that_is_killed_again_and_again_loses_nothing(workshop: Any, wait_until: Any) -> None:
    sweep = model_sweep(workshop)
    agent = Taker(workshop, sweep)
    points = []
    for number in range(8):
        run = agent.take()
        assert run["kind"] == "run"
        points.append(point(run))
        agent.finish(run)
        if number % 2:
            os.kill(wait_until(lambda: worker_of(workshop)), signal.SIGKILL)
    assert len(set(points)) == 8
    assert workshop.state(sweep)["runs"]["finished"] == 8


def test_the_worker_ends_with_its_server(workshop: Any, wait_until: Any) -> None:
    Taker(workshop, model_sweep(workshop)).take()
    worker = worker_of(workshop)
    assert worker is not None
    os.kill(server_pid(workshop), signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{worker}").exists())
    workshop.besom("server", "start")


def test_heartbeats_are_answered_while_a_suggestion_is_under_way(workshop: Any) -> None:
    sweep = model_sweep(workshop)
    agent = Taker(workshop, sweep)
    agent.take()
    worker = worker_of(workshop)
    assert worker is not None
    os.kill(worker, signal.SIGSTOP)
    try:
        # The one that is ready, if the worker was that fast; then there is none.
        server = workshop.server
        answers = [agent.ask(server) for _ in range(2)]
        assert answers[-1]["kind"] == "wait"
        assert answers[-1]["computing"]
        assert server.call("POST", f"{agent.path}/heartbeat", {"runs": []})["agent"] == "go on"
    finally:
        os.kill(worker, signal.SIGCONT)
    assert agent.take()["kind"] == "run"


def test_sixteen_agents_at_once_never_get_the_same_point(workshop: Any) -> None:
    from besom.client.connection import Connection

    sweep = model_sweep(workshop)
    takers = [Taker(workshop, sweep) for _ in range(16)]
    server = workshop.server

    def work(taker: Taker) -> list[tuple[Any, ...]]:
        connection = Connection(server.url, server.token)
        try:
            return [point(taker.take(connection)) for _ in range(2)]
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        points = [each for mine in pool.map(work, takers) for each in mine]
    assert len(points) == len(set(points)) == 32
    assert sorted(run["idx"] for run in workshop.runs(sweep)) == list(range(32))


def test_a_small_space_is_exhausted_and_the_sweep_finishes(workshop: Any) -> None:
    place = workshop.place(train='import besom\nr = besom.init()\nr.log({"loss": r.config["a"] * r.config["b"]})\n')
    sweep = model_sweep(workshop, parameters={"a": {"values": [1, 2]}, "b": {"values": [1, 2, 3]}})
    said = workshop.begin("agent", sweep, place=place).end(0)
    assert f"{method()} search exhausted: 6 of 6 points" in said
    assert len({tuple(run["params"].values()) for run in workshop.runs(sweep)}) == 6
    assert workshop.state(sweep)["state"] == "finished"


@pytest.mark.parametrize("order", ["stop", "cancel", "pause", "rm"])
def test_a_sweep_that_is_steered_in_the_middle_hands_out_no_more(workshop: Any, order: str) -> None:
    sweep = model_sweep(workshop)
    agent = Taker(workshop, sweep)
    agent.take()
    workshop.besom(*({"rm": ("rm", sweep, "--yes")}.get(order, (order, sweep))))
    answer = agent.take()
    assert answer["kind"] == ("wait" if order == "pause" else "finish")
    if order == "pause":
        workshop.besom("resume", sweep)
        assert agent.take()["kind"] == "run"
