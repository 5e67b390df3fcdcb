"""Making and revoking tokens; only their hashes are stored."""

from __future__ import annotations

from sqlalchemy import Connection

from besom.wire.server import CreatedToken, Scope


def create(
    c: Connection, name: str, scope: Scope, *, entity: str, now: float, expires_s: float | None = None,
    secret: str | None = None,
) -> CreatedToken:  # fmt: skip
    """``secret`` is given for the local token that lies in a file: the same secret twice is the same token."""
    raise NotImplementedError


def revoke(c: Connection, token_id: int, now: float) -> None: ...
