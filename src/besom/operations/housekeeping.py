"""What a timer calls; takes the time as argument."""

from __future__ import annotations

from sqlalchemy import Connection


def expire_leases(c: Connection, now: float) -> list[str]:
    """Ends attempts whose lease has run out; returns the uids of their runs. Every few seconds."""
    raise NotImplementedError


def renew_all_leases(c: Connection, now: float) -> None:
    """Gives every lease a full period: at start and after a jump of the clock."""


def trim_events(c: Connection, keep: int = 200_000) -> None: ...
