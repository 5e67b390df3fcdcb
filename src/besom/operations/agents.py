"""What agents tell of themselves, and what they are told. ``base_url`` goes in front of page addresses."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from besom.wire.agents import AgentAnswer, AgentHeartbeatAnswer, HeldRun, NewAgent


def register(c: Connection, new: NewAgent, entity: str, now: float, base_url: str = "") -> AgentAnswer:
    raise NotImplementedError


def heartbeat(c: Connection, uid: str, runs: Sequence[HeldRun], now: float) -> AgentHeartbeatAnswer:
    raise NotImplementedError


def turn_off(c: Connection, uid: str, at_once: bool, now: float) -> None: ...
def end(c: Connection, uid: str, reason: str, now: float) -> None: ...
