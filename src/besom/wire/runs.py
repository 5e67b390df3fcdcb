"""Requests and answers about runs."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

RunState = Literal["queued", "running", "finished", "stopped", "killed", "failed", "crashed", "preempted"]


class NewRun(Struct, kw_only=True, forbid_unknown_fields=True):
    """Starts a run that no agent started. The same ``uid`` twice is the same run.

    With ``sweep_id`` the run joins that sweep as an ordinary run of it (W&B's ``WANDB_SWEEP_ID`` by hand).
    """

    uid: str
    project: str
    entity: str | None = None
    name: str | None = None
    display_name: str | None = None
    group: str | None = None
    job_type: str | None = None
    notes: str | None = None
    tags: list[str] = field(default_factory=list)
    host: str | None = None
    sweep_id: str | None = None


class StartedRun(Struct, kw_only=True):
    """The run, its attempt, and the page's address."""

    uid: str
    name: str
    display_name: str
    entity: str
    project: str
    attempt: int
    url: str


class FinishRun(Struct, kw_only=True, forbid_unknown_fields=True):
    """How an attempt ended, as the one who watched it saw it; `engine/endings.py` says what that means.

    ``exit_code`` and ``signal`` as the system gave them; ``stopped_by`` when the watcher ended it on an order
    ("stop": early stopping or a person's stop of the run; "cancel": sweep canceled or run killed; "interrupt": Ctrl-C
    at the agent; "preempt": the machine is taken away). ``offsets`` are the ends of the streams that the watcher has
    shipped: `{"<writer>/history": bytes}`; the server refuses to end an attempt whose rows are not all there.
    """

    exit_code: int | None = None
    signal: int | None = None
    stopped_by: Literal["stop", "cancel", "interrupt", "preempt"] | None = None
    error: str | None = None
    preempting: bool = False
    offsets: dict[str, int] = field(default_factory=dict)


class FinishAnswer(Struct, kw_only=True):
    """What became of the run: its state, and whether this attempt was the one that counts."""

    state: RunState
    current: bool
    warnings: list[str]


class RunHeartbeat(Struct, kw_only=True, forbid_unknown_fields=True):
    """A run without an agent says that it lives."""


class RunHeartbeatAnswer(Struct, kw_only=True):
    """``stop`` holds the reason when the run should end."""

    stop: str | None = None


class StreamOffset(Struct, kw_only=True):
    """The next byte that the server wants of a stream.

    ``order_waits``: the next heartbeat of whoever watches the attempt is answered with an order; ask now.
    """

    offset: int
    order_waits: bool = False


class AttemptAnswer(Struct, kw_only=True):
    """One attempt of a run."""

    number: int
    state: str
    agent: str | None
    host: str | None
    started: str | None
    ended: str | None
    exit_code: int | None
    signal: int | None
    error: str | None


class RunAnswer(Struct, kw_only=True):
    """A run as every door shows it.

    ``params`` are what the sweep chose (never re-read from the script), ``config`` everything; ``score`` is the
    one number by the sweep's rule. Non-finite numbers are words.
    """

    id: str
    uid: str
    name: str
    entity: str
    project: str
    sweep: str | None
    state: RunState
    attempt: int
    idx: int | None
    params: dict[str, Any]
    config: dict[str, Any]
    summary: dict[str, Any]
    score: Any
    tags: list[str]
    group: str | None
    job_type: str | None
    notes: str | None
    host: str | None
    created: str
    started: str | None
    ended: str | None
    runtime_s: float | None
    stop_reason: str | None
    error: str | None
    warnings: list[str]
    url: str
    attempts: list[AttemptAnswer] | None = None
    history: list[dict[str, Any]] | None = None


class RunsPage(Struct, kw_only=True):
    """Some runs in order, and where the next page begins (None: that was all)."""

    runs: list[RunAnswer]
    next: str | None = None


class HistoryPage(Struct, kw_only=True):
    """Merged rows in order of step; ``next_step`` is the first step of the next page (None: that was all)."""

    rows: list[dict[str, Any]]
    next_step: int | None = None
