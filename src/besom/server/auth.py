"""Who asks, and how far that reaches: tokens, cookies, login codes, scopes.

A token is proof in the header ``Authorization: Bearer …``. A browser exchanges a token or a single-use code for a
cookie, which is a signed pointer to the token: it ends when the token ends.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from besom.errors import Forbidden
from besom.store.tokens import hash_of
from besom.wire.server import Scope

CODE_LASTS_S = 60.0
COOKIE_LASTS_S = 30 * 24 * 3600.0
MAX_CODES = 1000


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a token or cookie stands for. ``run_uid`` and ``sweep_uid`` are set for scope ``run`` only."""

    token_name: str
    token_hash: str
    scope: Scope
    entity: str
    run_uid: str | None = None
    sweep_uid: str | None = None
    by_cookie: bool = False


class Access(Enum):
    """How far a proof must reach for a route."""

    ANYBODY = "any valid token"
    ADMIN = "scope admin"
    CHANGE = "scope admin or agent"
    READ = "scope admin, agent or read"
    START_RUN = "scope admin or agent, or the token of the run that is started"
    OWN_RUN = "scope admin or agent, or the run's own token"
    READ_RUN = "scope admin, agent or read, or the run's own token"
    FIND_RUN = "scope admin, agent or read, or the token of the run that is found"
    READ_SWEEP = "scope admin, agent or read, or the token of a run of the sweep"


_CHANGES: frozenset[Scope] = frozenset(["admin", "agent"])
_READS: frozenset[Scope] = frozenset(["admin", "agent", "read"])
_SCOPES: Mapping[Access, frozenset[Scope]] = {
    Access.ANYBODY: frozenset(["admin", "agent", "run", "read"]),
    Access.ADMIN: frozenset(["admin"]),
    Access.CHANGE: _CHANGES,
    Access.READ: _READS,
    Access.START_RUN: frozenset(["admin", "agent", "run"]),
    Access.OWN_RUN: _CHANGES,
    Access.READ_RUN: _READS,
    Access.FIND_RUN: frozenset(["admin", "agent", "run", "read"]),
    Access.READ_SWEEP: _READS,
}


def require(who: Identity, access: Access, *, run_uid: str | None = None, sweep_uid: str | None = None) -> None:
    """Passes if the proof reaches far enough, else raises Forbidden.

    ``run_uid`` and ``sweep_uid`` are what the request is about.
    """
    if who.scope in _SCOPES[access]:
        return
    if who.scope == "run":
        if access in (Access.OWN_RUN, Access.READ_RUN) and run_uid is not None and run_uid == who.run_uid:
            return
        if access is Access.READ_SWEEP and sweep_uid is not None and sweep_uid == who.sweep_uid:
            return
        raise Forbidden("this token reaches only its own run; use the agent's or your own token here")
    raise Forbidden(
        f"this token has scope {who.scope!r} and this needs {access.value}: make one with `besom token create`"
    )


def bearer(header: str | None) -> str | None:
    """The token in an Authorization header; None without one."""
    kind, _, secret = (header or "").strip().partition(" ")
    return secret.strip() or None if kind.lower() == "bearer" else None


def read_cookie(header: str | None, name: str) -> str | None:
    """The value of one cookie in a Cookie header, whatever other programs on this host name put beside it."""
    for part in (header or "").split(";"):
        found, _, value = part.partition("=")
        if found.strip() == name:
            return value.strip() or None
    return None


def sign_cookie(key: str, token_hash: str, expires: int) -> str:
    """A cookie's value: the token's hash, until when, and the signature over both."""
    return f"{token_hash}.{expires}.{_signature(key, token_hash, expires)}"


def open_cookie(key: str, value: str, now: float) -> str | None:
    """The hash of the token that a cookie points to; None if it has expired or was not signed with the key."""
    token_hash, _, rest = value.partition(".")
    until, _, signature = rest.partition(".")
    if not (until.isascii() and until.isdecimal() and len(until) < 16):
        return None
    genuine = hmac.compare_digest(_signature(key, token_hash, int(until)).encode(), signature.encode())
    return token_hash if genuine and int(until) > now else None


def _signature(key: str, token_hash: str, expires: int) -> str:
    return hmac.new(bytes.fromhex(key), f"{token_hash}.{expires}".encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class _Code:
    who: Identity
    path: str
    until: float


class LoginCodes:
    """Single-use codes that let a browser in without a token in an address. They live in memory, hashed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._codes: OrderedDict[str, _Code] = OrderedDict()

    def make(self, who: Identity, path: str) -> str:
        """A fresh code that signs in as ``who`` and leads to ``path``."""
        while len(self._codes) >= MAX_CODES:
            self._codes.popitem(last=False)
        code = secrets.token_urlsafe(32)
        self._codes[hash_of(code)] = _Code(who, path, self._clock() + CODE_LASTS_S)
        return code

    def use(self, code: str) -> tuple[Identity, str] | None:
        """Takes a code: (who, path) the first time within a minute, None ever after."""
        found = self._codes.pop(hash_of(code), None)
        if found is None or found.until < self._clock():
            return None
        return found.who, found.path


class Failures:
    """Counts wrong proofs by address, so that guessing is slowed down. A right proof is never held up."""

    def __init__(self, limit: int = 30, window_s: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._window_s, self._clock = limit, window_s, clock
        self._since: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def add(self, address: str) -> float | None:
        """Notes a wrong proof; the seconds to wait when there were too many, else None."""
        now = self._clock()
        began, count = self._since.pop(address, (now, 0))
        if now - began > self._window_s:
            began, count = now, 0
        self._since[address] = (began, count + 1)
        while len(self._since) > MAX_CODES:
            self._since.popitem(last=False)
        return self._window_s - (now - began) if count >= self._limit else None


def safe_path(path: str | None) -> str:
    """A path on this server to go to after signing in; "/" for anything that could lead elsewhere."""
    if not path or not path.startswith("/") or path[1:2] in ("/", "\\"):
        return "/"
    return path if path.isprintable() and "\\" not in path else "/"
