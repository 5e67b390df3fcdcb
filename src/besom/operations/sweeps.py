"""Making, steering and removing sweeps."""

from __future__ import annotations

from sqlalchemy import Connection

from besom.wire.sweeps import EditSweep, NewSweep


def create(c: Connection, request: NewSweep, *, entity: str, now: float) -> str:
    """Makes a sweep and returns its id; the same ``request_id`` twice is the same sweep. Raises SweepConfigError."""
    raise NotImplementedError


def edit(c: Connection, uid: str, change: EditSweep, now: float) -> None:
    """Changes name, description or run cap."""


def pause(c: Connection, uid: str, now: float) -> None: ...
def resume(c: Connection, uid: str, now: float) -> None: ...
def stop(c: Connection, uid: str, now: float) -> None: ...
def cancel(c: Connection, uid: str, now: float) -> None: ...
def delete(c: Connection, uid: str, now: float) -> None: ...
def rerun(c: Connection, uid: str, failed: bool, crashed: bool, now: float) -> list[str]: ...
