"""What every route of one running server shares."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from besom.server import auth
from besom.server.auth import Failures, Identity, LoginCodes
from besom.server.keys import Keys
from besom.server.news import News
from besom.server.settings import Settings
from besom.server.suggester import Suggester
from besom.store import tokens
from besom.store.database import Database

# A token that was good is taken for good this long without asking the database again; revoking one here ends it now.
REMEMBER_S = 2.0
MOST_REMEMBERED = 10_000


def _nothing() -> None:
    """What a server without a process of its own does to end or to say that it lives."""


@dataclass(slots=True)
class Services:
    """Settings, database and secrets of a server, its login codes, and the sign that it is closing.

    ``now`` is the wall clock in seconds since 1970; ``end`` and ``beat`` are the process's.
    """

    settings: Settings
    database: Database
    keys: Keys
    now: Callable[[], float] = time.time
    url: str = ""
    end: Callable[[], None] = _nothing
    beat: Callable[[], None] = _nothing
    started: float = field(default_factory=time.time)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    codes: LoginCodes = field(default_factory=LoginCodes)
    failures: Failures = field(default_factory=Failures)
    news: News = field(init=False)
    suggester: Suggester = field(init=False)
    # Bytes of bodies that are in memory now, and who works on something so long that one at a time is enough.
    body_bytes: int = 0
    long_work: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    _remembered: dict[str, tuple[float, Identity]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.news = News(self.database, self.closing)
        self.suggester = Suggester(self.database, self.closing, lambda: self.now())

    async def identify(self, headers: Mapping[str, str]) -> Identity | None:
        """Whom the request's token or cookie stands for; None without a valid one."""
        secret = auth.bearer(headers.get("authorization"))
        if secret is not None:
            return await self.by_token(secret)
        cookie = auth.read_cookie(headers.get("cookie"), self.keys.cookie_name)
        hashed = auth.open_cookie(self.keys.cookie_key, cookie, self.now()) if cookie else None
        found = await self._by_hash(hashed) if hashed else None
        return None if found is None else replace(found, by_cookie=True)

    async def by_token(self, secret: str) -> Identity | None:
        """Whom a token stands for."""
        return await self._by_hash(tokens.hash_of(secret))

    async def _by_hash(self, hashed: str) -> Identity | None:
        known = self._remembered.get(hashed)
        if known is not None and time.monotonic() - known[0] < REMEMBER_S:
            return known[1]
        found = await self.database.read(tokens.find, hashed, self.now())
        if found is None:
            self._remembered.pop(hashed, None)
            return None
        if len(self._remembered) >= MOST_REMEMBERED:
            self.forget_proofs()
        who = Identity(found.name, hashed, found.scope, found.entity, found.run_uid, found.sweep_uid)
        self._remembered[hashed] = (time.monotonic(), who)
        return who

    def forget_proofs(self) -> None:
        """Asks the database again for every token from now on."""
        self._remembered.clear()
