"""What happens to runs. ``base_url`` goes in front of page addresses."""

from __future__ import annotations

from sqlalchemy import Connection

from besom.wire.agents import Claim, Finish, HandOut, Wait
from besom.wire.runs import FinishAnswer, FinishRun, NewRun, RunHeartbeatAnswer, StartedRun


def claim(c: Connection, agent_uid: str, ask: Claim, now: float, base_url: str = "") -> HandOut | Wait | Finish:
    raise NotImplementedError


def start(c: Connection, new: NewRun, entity: str, now: float, base_url: str = "") -> StartedRun:
    raise NotImplementedError


def append(
    c: Connection, run_uid: str, attempt: int, writer: str, kind: str, offset: int, data: bytes, now: float
) -> int:
    """Returns the next offset that the server wants. Less than ``offset``: there is a gap, nothing was stored (409)."""
    raise NotImplementedError


def heartbeat(c: Connection, run_uid: str, attempt: int, now: float) -> RunHeartbeatAnswer:
    raise NotImplementedError


def finish(c: Connection, run_uid: str, attempt: int, report: FinishRun, now: float) -> FinishAnswer:
    raise NotImplementedError


def rerun(c: Connection, run_uid: str, now: float) -> None: ...
def kill(c: Connection, run_uid: str, now: float) -> None: ...
def delete(c: Connection, run_uid: str, now: float) -> None: ...
