"""What would be handed out next, without taking it."""

from __future__ import annotations

from sqlalchemy import Connection

from besom.wire.agents import Finish, HandOut, Wait


def next_params(c: Connection, sweep_uid: str, now: float, base_url: str = "") -> HandOut | Wait | Finish:
    """Runs in a read-only connection (Database.read); uid, token empty."""
    raise NotImplementedError
