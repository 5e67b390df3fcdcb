"""Tokens, and the codes with which a browser signs in."""

from __future__ import annotations

from msgspec import Struct

from besom.errors import Forbidden, UsageError
from besom.operations import tokens as operations
from besom.server.auth import CODE_LASTS_S, safe_path
from besom.server.endpoint import Ask
from besom.store import tokens as stored
from besom.wire.server import CreatedToken, LoginCode, NewToken, TokenRow


class CodeQuery(Struct, forbid_unknown_fields=True):
    """Where to go after signing in."""

    path: str = "/"


async def ls(ask: Ask) -> list[TokenRow]:
    """All tokens but those of single runs, without their secrets."""
    return await ask.read(stored.rows)


async def create(ask: Ask, body: NewToken) -> CreatedToken:
    """A new token; its secret is shown this once."""
    return await ask.write(operations.create, body.name, body.scope, entity=ask.who.entity, expires_s=body.expires_s)


async def revoke(ask: Ask) -> None:
    """Ends a token for good; cookies made from it end with it."""
    number = ask.path["id"]
    if not (number.isascii() and number.isdecimal() and len(number) < 16):
        raise UsageError(f"{number!r} is not the number of a token: `besom token ls` shows them")
    await ask.write(operations.revoke, int(number))
    ask.services.forget_proofs()


async def login_code(ask: Ask, query: CodeQuery) -> LoginCode:
    """A single-use address that signs a browser in as the asker and leads to a page."""
    if ask.who.scope == "run":
        raise Forbidden("a run's own token opens no pages: use your own token")
    code = ask.services.codes.make(ask.who, safe_path(query.path))
    return LoginCode(url=f"{ask.base_url}/login?code={code}", expires_s=CODE_LASTS_S)
