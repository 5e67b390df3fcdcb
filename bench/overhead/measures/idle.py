"""What waits costs: a server that nobody asks, an agent without runs, an agent whose run computes."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from typing import Any

from common.figures import Sample
from common.processes import fine_cpu_s
from common.servers import BesomServer
from table import Line
from workbench import Workbench

TITLE = "idle server, idle agent"
NUMBER = {"min": 0.0, "max": 1.0}
# What starting costs is not idling.
SETTLE_S = 5.0


def take(bench: Workbench) -> dict[str, Any]:
    seconds = bench.size(40, 2)
    with bench.server() as server:
        alone = cores([server.pid], seconds)
    with bench.server() as server, contextlib.ExitStack() as ends:
        waiting = server.sweep({"x": NUMBER})
        server.call("POST", f"/api/v1/sweeps/{waiting}/pause", {})
        silent = server.sweep({"x": NUMBER}, program=None, command=["sleep", "600"])
        agents = [ends.enter_context(agent(bench, server, sweep)) for sweep in (waiting, silent)]
        used = cores(agents, seconds)
    return {
        "server": [{"idle_per_cent_of_a_core": 100 * alone[0]}],
        "agent": [{"waiting_cores": used[0], "watching_cores": used[1]}],
    }


@contextlib.contextmanager
def agent(bench: Workbench, server: BesomServer, sweep: str) -> Iterator[int]:
    """The pid of an agent on the sweep."""
    with subprocess.Popen(
        [bench.python("besom"), "-m", "besom", "agent", sweep], env=server.environ, cwd=server.folder,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            yield process.pid
        finally:
            # Asked to end, it would wait for its run; its guard ends that now.
            process.kill()


def cores(pids: list[int], seconds: float) -> list[float]:
    """The share of a core that each process takes while nothing happens."""
    time.sleep(SETTLE_S)
    before, begun = [fine_cpu_s(pid) for pid in pids], time.monotonic()
    time.sleep(seconds)
    return [(fine_cpu_s(pid) - used) / (time.monotonic() - begun) for pid, used in zip(pids, before, strict=True)]


def lines(samples: dict[str, list[Sample]]) -> list[Line]:
    agent = samples["agent"][0]
    return [
        Line("idle server", samples["server"][0]["idle_per_cent_of_a_core"], "% of a core", at_most=0.5),
        Line("idle agent, waiting for runs", agent["waiting_cores"] * 100, "% of a core", at_most=0.2),
        Line("idle agent, watching a silent run", agent["watching_cores"] * 100, "% of a core", at_most=0.2),
    ]
