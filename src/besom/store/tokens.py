"""Tokens: only the hashes of their secrets are here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from besom.store.prepared import Prepared
from besom.store.tables import run, sweep, token
from besom.wire.encoding import iso
from besom.wire.server import Scope, TokenRow

_ADD_OF_RUN = Prepared(insert(token), ["hash", "name", "scope", "entity", "run_id", "created", "expires", "revoked"])


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """Who a secret stands for. ``run_uid`` and ``sweep_uid`` are set for the scope "run"."""

    id: int
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
    query = (
        select(token, run.c.uid.label("run_uid"), sweep.c.uid.label("sweep_uid"))
        .join(run, run.c.id == token.c.run_id, isouter=True)
        .join(sweep, sweep.c.id == run.c.sweep_id, isouter=True)
        .where(token.c.hash == hashed)
    )
    row = connection.execute(query).first()
    if row is None or row.revoked or (row.expires is not None and row.expires <= now):
        return None
    return TokenFacts(row.id, row.name, row.scope, row.entity, row.run_uid, row.sweep_uid)


def rows(connection: Connection) -> list[TokenRow]:
    """The tokens that people have made; those of runs come and go by themselves."""
    query = select(token).where(token.c.run_id.is_(None)).order_by(token.c.id)
    return [answer(row) for row in connection.execute(query)]


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


def add_of_run(connection: Connection, run_id: int, name: str, entity: str, secret: str, now: float) -> None:
    """Inserts the token of a run, which ends with the attempt."""
    _ADD_OF_RUN.execute(
        connection, hash=hash_of(secret), name=name, scope="run", entity=entity, run_id=run_id, created=now,
        expires=None, revoked=False,
    )  # fmt: skip


def revoke(connection: Connection, token_id: int) -> bool:
    """Makes a token worthless; False if there is none."""
    query = update(token).where(token.c.id == token_id, token.c.run_id.is_(None)).values(revoked=True)
    return connection.execute(query).rowcount > 0
