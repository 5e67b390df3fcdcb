"""What the event stream tells."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

EventKind = Literal[
    "sweep.created", "sweep.changed", "sweep.deleted",
    "run.created", "run.started", "run.progress", "run.stop", "run.ended", "run.deleted",
    "agent.started", "agent.ended",
]  # fmt: skip


class Event(Struct, kw_only=True):
    """Something that happened, in commit order. ``id`` only grows; a reader goes on after the last one it saw."""

    id: int
    at: str
    kind: EventKind
    sweep: str | None
    run: str | None
    data: dict[str, Any]
