"""Requests and answers about runs."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from besom.wire.agents import Claim, Finish, HandOut, Wait

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
    """The run, its attempt, the page's address, and how often the run should say that it lives."""

    uid: str
    name: str
    display_name: str
    entity: str
    project: str
    attempt: int
    url: str
    heartbeat_s: float = 15.0


class LastBytes(Struct, kw_only=True, forbid_unknown_fields=True):
    """Bytes of a stream that begin at ``offset`` (base64 in JSON)."""

    offset: int
    data: bytes


class FinishRun(Struct, kw_only=True, forbid_unknown_fields=True):
    """How an attempt ended, as the one who watched it saw it; `engine/endings.py` says what that means.

    ``exit_code`` and ``signal`` as the system gave them; ``stopped_by`` when the watcher ended it on an order
    ("stop": early stopping or a person's stop of the run; "cancel": sweep canceled or run killed; "interrupt": Ctrl-C
    at the agent; "preempt": the machine is taken away). ``offsets`` are the ends of the streams that the watcher has
    shipped: `{"<writer>/history": bytes}`; the server refuses to end an attempt whose rows are not all there.

    So that a short run costs one request: ``rest`` brings the bytes not yet sent, by the same paths as ``offsets`` and
    by the rules of the streams' own address; ``next`` asks for the next run of the attempt's agent.
    """

    exit_code: int | None = None
    signal: int | None = None
    stopped_by: Literal["stop", "cancel", "interrupt", "preempt"] | None = None
    error: str | None = None
    preempting: bool = False
    offsets: dict[str, int] = field(default_factory=dict)
    rest: dict[str, LastBytes] = field(default_factory=dict)
    next: Claim | None = None


class FinishAnswer(Struct, kw_only=True):
    """What became of the run: its state, and whether this attempt was the one that counts.

    ``next`` answers the ask for another run, if there was one. ``score`` is the run's own; ``best_score`` and
    ``best_run`` (its name) are the best of the sweep so far.
    """

    state: RunState
    current: bool
    warnings: list[str]
    next: HandOut | Wait | Finish | None = None
    score: float | None = None
    best_score: float | None = None
    best_run: str | None = None


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

    ``search_info`` says how a model came to choose the params, in the metric's own unit: ``source`` (``initial``,
    ``model``, ``parzen`` or ``random``), ``success_probability``, ``predicted_value``, ``predicted_value_std_dev``,
    ``expected_improvement``, ``warnings``, ``best`` (the run that the model takes for the best, where another one was
    observed to be), ``seen`` (``[first, last]`` of draws that it knew of, runs under way too) and ``others_seen`` (how
    many runs besides). None where no model did.
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
    search_info: dict[str, Any] | None
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


class Curve(Struct):
    """One run's curve of a metric, as few points as a screen can show.

    ``points`` is how many there were. Each shown point stands for the points from its step to the next shown one:
    ``steps`` are little-endian float64, ``low`` and ``high`` their smallest and largest values as float32 (NaN where
    there is no number); in JSON all three are base64.
    """

    run: str
    points: int
    steps: bytes
    low: bytes
    high: bytes


class Curves(Struct, kw_only=True):
    """Curves of one metric over the steps from ``from_step`` to ``to_step`` (None: nobody has logged it)."""

    metric: str
    from_step: int | None
    to_step: int | None
    curves: list[Curve]
