"""Tokens: only the hashes of their secrets are here.

Those that people make are rows of their own. That of a run stands with its attempt, and goes when the attempt ends.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from besom.store.prepared import Prepared
from besom.store.tables import attempt, project, run, sweep, token
from besom.wire.encoding import iso
from besom.wire.server import Scope, TokenRow

_OF_ATTEMPT = Prepared(
    select(attempt.c.id, run.c.name, project.c.entity, run.c.uid, sweep.c.uid)
    .join(run, run.c.id == attempt.c.run_id)
    .join(project, project.c.id == run.c.project_id)
    .join(sweep, sweep.c.id == run.c.sweep_id, isouter=True)
    .where(attempt.c.token_hash == bindparam("hashed"))
)


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """Who a secret stands for. ``run_uid`` and ``sweep_uid`` are set for the scope "run"."""

    name: str
    scope: Scope
    entity: str
    run_uid: str | None
    sweep_uid: str | None


def hash_of(secret: str) -> str:
    """What is stored of a secret. Secrets are long and random, so a plain hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def find(connection: Connection, hashed: str, now: float) -> TokenFacts | None:
    """Who the secret with this hash stands for; None if it is unknown, revoked or expired."""
    row = connection.execute(select(token).where(token.c.hash == hashed)).first()
    if row is None:
        return _of_attempt(connection, hashed)
    if row.revoked or (row.expires is not None and row.expires <= now):
        return None
    return TokenFacts(row.name, row.scope, row.entity, None, None)


def _of_attempt(connection: Connection, hashed: str) -> TokenFacts | None:
    row = _OF_ATTEMPT.first(connection, hashed=hashed)
    if row is None:
        return None
    _, name, entity, run_uid, sweep_uid = row
    return TokenFacts(f"run {name}", "run", entity, run_uid, sweep_uid)


def rows(connection: Connection) -> list[TokenRow]:
    """The tokens that people have made; those of runs come and go by themselves."""
    return [answer(row) for row in connection.execute(select(token).order_by(token.c.id))]


def answer(row: Any) -> TokenRow:
    """A token without its secret."""
    return TokenRow(
        id=row.id,
        name=row.name,
        scope=row.scope,
        created=iso(row.created) or "",
        expires=iso(row.expires),
        revoked=bool(row.revoked),
    )


def by_hash(connection: Connection, hashed: str) -> TokenRow | None:
    """The token with this hash, whatever its state."""
    row = connection.execute(select(token).where(token.c.hash == hashed)).first()
    return None if row is None else answer(row)


def add(connection: Connection, **values: Any) -> TokenRow:
    """Inserts a token."""
    row = connection.execute(insert(token).values(revoked=False, **values).returning(token)).one()
    return answer(row)


def revoke(connection: Connection, token_id: int) -> bool:
    """Makes a token worthless; False if there is none."""
    query = update(token).where(token.c.id == token_id).values(revoked=True)
    return connection.execute(query).rowcount > 0
