"""Making and revoking tokens; only their hashes are stored."""

from __future__ import annotations

import re

import msgspec
from sqlalchemy import Connection

from besom.common.ids import new_id
from besom.errors import NotFound, UsageError
from besom.store import tokens
from besom.wire.server import CreatedToken, Scope

LENGTH = 48
LONGEST_S = 100 * 366 * 86400.0
_SECRET = re.compile(r"[a-z0-9]{40,}")


def create(
    c: Connection,
    name: str,
    scope: Scope,
    *,
    entity: str,
    now: float,
    expires_s: float | None = None,
    secret: str | None = None,
) -> CreatedToken:
    """Makes a token, whose secret is told only here.

    ``secret`` is given for the local token that lies in a file: the same secret twice is the same token. Raises
    UsageError for an impossible name, time or secret.
    """
    if not name.strip():
        raise UsageError("a token needs a name, so that people know it again")
    if scope == "run":
        raise UsageError("tokens of a run are made when it is handed out: take scope admin, agent or read")
    if expires_s is not None and expires_s <= 0:
        raise UsageError(f"a token that expires in {expires_s:g} seconds is of no use: write a time ahead")
    if expires_s is not None and not expires_s <= LONGEST_S:
        raise UsageError("a token can expire within a hundred years: leave the time out for one that lasts")
    if secret is not None and not _SECRET.fullmatch(secret):
        raise UsageError("the local token must be 40 or more of a-z and 0-9: remove its file and start again")
    secret = secret or new_id(LENGTH)
    hashed = tokens.hash_of(secret)
    row = tokens.by_hash(c, hashed) or tokens.add(
        c,
        hash=hashed,
        name=name,
        scope=scope,
        entity=entity,
        created=now,
        expires=None if expires_s is None else now + expires_s,
    )
    return CreatedToken(token=secret, **msgspec.structs.asdict(row))


def revoke(c: Connection, token_id: int, now: float) -> None:
    """Makes a token worthless from now on; raises NotFound."""
    if not tokens.revoke(c, token_id):
        raise NotFound(f"there is no token {token_id}: `besom token ls` lists them")
