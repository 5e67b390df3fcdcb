"""Requests and answers between agents and the server."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from besom.wire.sweeps import MetricAnswer


class NewAgent(Struct, kw_only=True, forbid_unknown_fields=True):
    """An agent introduces itself to a sweep. The same ``uid`` twice is the same agent.

    ``pid``, ``process_started`` and ``boot_id`` tell later agents of the same host whether it still lives: a pid
    alone names another process after a while.
    """

    uid: str
    sweep_id: str
    entity: str | None = None
    project: str | None = None
    host: str = ""
    pid: int = 0
    process_started: str = ""
    boot_id: str = ""
    slots: int = 1
    version: str = ""
    # Function agents run a Python function: the sweep needs no program.
    function: bool = False


class HeldRun(Struct, kw_only=True, forbid_unknown_fields=True):
    """An attempt that the agent has in its hands."""

    uid: str
    attempt: int
    slot: int = 0


class Neighbour(Struct, kw_only=True):
    """Another agent of the same host and sweep that has not said that it ended, with the attempts that it holds."""

    uid: str
    pid: int
    process_started: str
    boot_id: str
    runs: list[HeldRun]


class AgentAnswer(Struct, kw_only=True):
    """What an agent must know of its sweep. ``command`` is unexpanded, None for W&B's default.

    ``neighbours`` are those that hold runs. Who finds that such a process is gone reports its attempts ended
    (`FinishRun` without an exit code), so that they need not wait for their lease to run out.
    """

    uid: str
    sweep_id: str
    entity: str
    project: str
    sweep_name: str
    sweep_state: str
    program: str | None
    command: list[Any] | None
    metric: MetricAnswer | None
    run_cap: int | None
    grid_size: int | None
    heartbeat_s: float
    lease_s: float
    url: str
    neighbours: list[Neighbour] = field(default_factory=list)


class Claim(Struct, kw_only=True, forbid_unknown_fields=True):
    """Asks for the next run. The same ``request_id`` twice gets the same answer."""

    request_id: str
    slot: int = 0


class HandOut(Struct, kw_only=True, tag="run", tag_field="kind"):
    """A run to train: the params are the sweep's, the token reaches no further than this run.

    ``swept``: the names among the params that vary in the sweep.
    """

    uid: str
    name: str
    display_name: str
    attempt: int
    params: dict[str, Any]
    swept: list[str]
    token: str
    url: str
    number: int
    total: int | None
    resumed: bool


class Wait(Struct, kw_only=True, tag="wait", tag_field="kind"):
    """Nothing now; ask again after ``seconds``. ``reason`` is for people.

    ``computing``: a model makes the next suggestion, for which the claim's own address waits a while.
    """

    seconds: float
    reason: str
    computing: bool = False


class Finish(Struct, kw_only=True, tag="finish", tag_field="kind"):
    """Nothing any more: the agent may go. ``why`` names the case, ``reason`` is the sentence."""

    why: Literal["finished", "canceled", "deleted", "turned off"]
    reason: str


ClaimAnswer = HandOut | Wait | Finish


class AgentHeartbeat(Struct, kw_only=True, forbid_unknown_fields=True):
    """The agent lives and holds these attempts; each heartbeat renews their leases."""

    runs: list[HeldRun] = field(default_factory=list)


class Order(Struct, kw_only=True):
    """What to do with an attempt: ``stop`` (TERM, after the grace time KILL), ``kill`` (KILL: sweep canceled or run
    killed), ``drop`` (the run is somebody else's by now: end the child, report nothing).
    """

    uid: str
    attempt: int
    order: Literal["stop", "kill", "drop"]
    reason: str


class AgentHeartbeatAnswer(Struct, kw_only=True):
    """Orders for the held attempts, and whether the agent itself should go on.

    ``agent``: ``go on``; ``off`` after the current runs; ``off now`` kills them; ``exit`` (sweep canceled: kill and
    go); ``gone`` (sweep deleted: finish the current runs, then go).
    """

    orders: list[Order]
    agent: Literal["go on", "off", "off now", "exit", "gone"]
    reason: str | None
    sweep_state: str
    runs_done: int
    runs_total: int | None
    best_score: Any = None
    best_run: str | None = None


class AgentOff(Struct, kw_only=True, forbid_unknown_fields=True):
    """Turns an agent off, after its current runs or at once."""

    now: bool = False


class AgentEnd(Struct, kw_only=True, forbid_unknown_fields=True):
    """The agent ends, with the sentence that it told its user."""

    reason: str = ""


class AgentRow(Struct, kw_only=True):
    """An agent as lists show it."""

    id: str
    sweep: str
    entity: str
    project: str
    host: str
    pid: int
    state: Literal["alive", "late", "off", "ended"]
    running: list[str]
    done: int
    failed: int
    last_error: str | None
    seen: str
    started: str
    ended_reason: str | None
