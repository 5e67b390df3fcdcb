"""Requests and answers about the server itself, and who may speak to it."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

Scope = Literal["admin", "agent", "run", "read"]


class Health(Struct, kw_only=True):
    """What anybody may know: that a Besom server of this version answers."""

    name: str
    version: str
    api: int
    server_id: str


class ServerStatus(Struct, kw_only=True):
    """Where the server is and what it holds. ``db`` is masked of passwords.

    ``copies_bytes``: databases kept beside the one in use; ``free_bytes``: what the data folder's disk has left.
    """

    url: str
    pid: int
    data: str
    db: str
    version: str
    api: int
    host: str
    started: str
    projects: int
    sweeps: int
    sweeps_running: int
    runs: int
    runs_running: int
    agents_alive: int
    database_bytes: int = 0
    logs_bytes: int = 0
    copies_bytes: int = 0
    free_bytes: int = 0


class Vacuumed(Struct, kw_only=True):
    """The bytes of the database before and after a vacuum, and how many seconds that took."""

    before: int
    after: int
    seconds: float


class Me(Struct, kw_only=True):
    """Who the token or cookie stands for."""

    entity: str
    scope: Scope
    token_name: str
    version: str
    api: int
    url: str


class NewToken(Struct, kw_only=True, forbid_unknown_fields=True):
    """Asks for a token; ``expires_s`` from now, None for one that lasts."""

    name: str
    scope: Scope = "agent"
    expires_s: float | None = None


class TokenRow(Struct, kw_only=True):
    """A token without its secret."""

    id: int
    name: str
    scope: Scope
    created: str
    expires: str | None
    revoked: bool


class CreatedToken(TokenRow, kw_only=True):
    """A new token; the only time its secret is shown."""

    token: str


class LoginCode(Struct, kw_only=True):
    """A single-use code for a browser and the address that takes it."""

    url: str
    expires_s: float


class ProblemBody(Struct, kw_only=True):
    """The body of every refusal. ``kind`` is the exception's name, ``detail`` its sentence."""

    kind: str
    detail: str
    problems: list[dict[str, Any]] = field(default_factory=list)
    offset: int | None = None
