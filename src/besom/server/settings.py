"""What a server is told at its start: one table of options, read from the command line and the environment."""

from __future__ import annotations

import ipaddress
import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from besom.common.discovery import host_name
from besom.common.places import data_folder
from besom.errors import Refused, UsageError

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8766
DEFAULT_LEASE_S = 60.0
SHORTEST_LEASE_S = 2.0
LOOPBACK_NAMES = frozenset(["127.0.0.1", "localhost", "::1"])
# Variables of the environment: name → what it sets.
VARIABLES = {
    "BESOM_DB": "the database's address, as --db (the place for one with a password)",
    "BESOM_DB_WAIT": "seconds that a change waits for a database that another program has locked (default 10)",
    "BESOM_EVENTS_KEPT": "how many events the server keeps for those who read on after a break (default 200000)",
    "BESOM_LOG_BYTES": "bytes at which the server's log begins anew; the last three stay (default 4194304)",
}
DEFAULT_DB_WAIT_S = 10.0
DEFAULT_EVENTS_KEPT = 200_000
DEFAULT_LOG_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to serve one data folder.

    ``port`` None: 8766, or the next free one. ``db`` None: SQLite in the data folder. ``lease_s``: seconds after
    which a run whose agent is not heard of goes to another one. ``background``: started by
    `besom server start`, so a newer program may restart it. ``db_wait_s``: how long a change waits for a locked
    database. ``events_kept`` and ``log_bytes`` bound what would grow for ever.
    """

    data: Path
    host: str = DEFAULT_HOST
    port: int | None = None
    db: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    lease_s: float = DEFAULT_LEASE_S
    background: bool = False
    db_wait_s: float = DEFAULT_DB_WAIT_S
    events_kept: int = DEFAULT_EVENTS_KEPT
    log_bytes: int = DEFAULT_LOG_BYTES

    @property
    def db_url(self) -> str:
        """The database's address in SQLAlchemy's form."""
        return self.db or f"sqlite:///{self.data / 'besom.db'}"

    @property
    def db_file(self) -> Path | None:
        """The file of a SQLite database; None for a database server."""
        return Path(self.db_url.removeprefix("sqlite:///")) if self.db_url.startswith("sqlite:///") else None

    @property
    def log_file(self) -> Path:
        """Where the server writes what happened."""
        return self.data / "server.log"

    @property
    def is_wildcard(self) -> bool:
        """True if the server listens on every address of the machine."""
        try:
            return ipaddress.ip_address(self.host).is_unspecified
        except ValueError:
            return False

    @property
    def reach(self) -> str:
        """The name under which programs on this machine reach the server."""
        if self.tls_cert and self.allowed_hosts:
            return self.allowed_hosts[0]
        return DEFAULT_HOST if self.is_wildcard else self.host

    def url(self, port: int) -> str:
        """The server's own address once it listens on ``port``."""
        name = f"[{self.reach}]" if ":" in self.reach else self.reach
        return f"{'https' if self.tls_cert else 'http'}://{name}:{port}"

    @property
    def wishes(self) -> dict[str, Any]:
        """What was asked for beyond the defaults: what a running server must offer.

        The database's address is without its password: whoever restarts the server must know it himself.
        """
        wanted = {
            "host": self.host, "allowed_hosts": list(self.allowed_hosts), "tls_cert": str(self.tls_cert or ""),
            "tls_key": str(self.tls_key or ""), "lease_s": self.lease_s, "db": mask_db(self.db or ""),
            "port": self.port or 0,
        }  # fmt: skip
        defaults = {
            "host": DEFAULT_HOST, "allowed_hosts": [], "tls_cert": "", "tls_key": "", "lease_s": DEFAULT_LEASE_S,
            "db": "", "port": 0,
        }  # fmt: skip
        return {name: value for name, value in wanted.items() if value != defaults[name]}

    def like(self, wishes: Mapping[str, Any]) -> Settings:
        """These settings, and where they ask for nothing, those of another server that had these wishes.

        Raises Refused where its database has a password, which nobody has written down.
        """
        more = {name: value for name, value in wishes.items() if name not in self.wishes}
        if "***" in str(more.get("db", "")):
            raise Refused(
                f"the server that is to be restarted keeps its data in {more['db']}, and its password is needed: "
                "put the address into BESOM_DB and call `besom server start`"
            )
        for name in ("tls_cert", "tls_key"):
            if name in more:
                more[name] = Path(more[name])
        if "allowed_hosts" in more:
            more["allowed_hosts"] = tuple(more["allowed_hosts"])
        return replace(self, **more)

    def knows_host(self, header: str) -> bool:
        """True if a Host header names this server.

        A page that makes its own name point here (DNS rebinding) cannot pass: it would have to bear one of our
        names. On a wildcard address the machine's name and plain numbers are ours too.
        """
        name = _host_of(header)
        if name is None:
            return False
        if name in LOOPBACK_NAMES or name == self.host.lower() or name in self.allowed_hosts:
            return True
        return self.is_wildcard and (name == host_name().lower() or _is_number(name))

    def to_json(self) -> str:
        """Text from which `from_json` makes the same settings."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """The settings that `to_json` wrote."""
        found: dict[str, Any] = json.loads(text)
        for name in ("data", "tls_cert", "tls_key"):
            found[name] = Path(found[name]) if found[name] else None
        return cls(**{**found, "allowed_hosts": tuple(found["allowed_hosts"])})


def read_settings(
    environ: Mapping[str, str] = os.environ,
    *,
    host: str = DEFAULT_HOST,
    port: int | None = None,
    data: str | Path | None = None,
    db: str | None = None,
    allowed_hosts: tuple[str, ...] = (),
    tls_cert: str | Path | None = None,
    tls_key: str | Path | None = None,
    lease_s: float = DEFAULT_LEASE_S,
    background: bool = False,
) -> Settings:
    """Settings out of the command line's options; raises UsageError for what cannot be."""
    if db and mask_db(db) != db:
        raise UsageError(
            "a password on the command line is visible to every user of the machine: "
            "put the address into the variable BESOM_DB, or the password into ~/.pgpass"
        )
    if port is not None and not 0 <= port <= 65535:
        raise UsageError(f"port {port} does not exist: choose one from 1 to 65535")
    if bool(tls_cert) != bool(tls_key):
        raise UsageError("TLS needs both files: give --tls-cert and --tls-key")
    if not SHORTEST_LEASE_S <= lease_s < float("inf"):
        raise UsageError(
            f"a lease of {lease_s:g} s is too short for heartbeats to come in time: give {SHORTEST_LEASE_S:g} s or more"
        )
    for file in (tls_cert, tls_key):
        if file and not Path(file).is_file():
            raise UsageError(f"{file} is not a file: --tls-cert and --tls-key take PEM files")
    return Settings(
        data=Path(data).expanduser().absolute() if data else data_folder(environ),
        host=host.strip("[]"),
        port=port,
        db=check_db(db or environ.get("BESOM_DB") or None),
        allowed_hosts=tuple(_allowed(name) for name in allowed_hosts),
        tls_cert=Path(tls_cert).absolute() if tls_cert else None,
        tls_key=Path(tls_key).absolute() if tls_key else None,
        lease_s=lease_s,
        background=background,
        db_wait_s=_number(environ, "BESOM_DB_WAIT", DEFAULT_DB_WAIT_S, 0.1),
        events_kept=int(_number(environ, "BESOM_EVENTS_KEPT", DEFAULT_EVENTS_KEPT, 1000)),
        log_bytes=int(_number(environ, "BESOM_LOG_BYTES", DEFAULT_LOG_BYTES, 1000)),
    )


def _number(environ: Mapping[str, str], name: str, default: float, least: float) -> float:
    text = environ.get(name, "").strip()
    if not text:
        return default
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not least <= found < math.inf:
        raise UsageError(f"{name} is {text!r}: give a number, {least:g} or more")
    return found


def check_db(url: str | None) -> str | None:
    """A database's address in the form that the store takes; a plain path is a SQLite file."""
    if url is None:
        return None
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    if url.startswith(("postgresql+psycopg://", "sqlite:////")):
        return url
    if "://" in url and not url.startswith("sqlite:///"):
        raise UsageError(
            f"{mask_db(url)!r} is not a database that Besom knows: "
            "write sqlite:///FILE or postgresql://USER@HOST/DATABASE"
        )
    return f"sqlite:///{Path(url.removeprefix('sqlite:///')).expanduser().absolute()}"


def mask_db(url: str) -> str:
    """The address without its password, for people's eyes."""
    user, at, rest = urlsplit(url).netloc.rpartition("@")
    if at and ":" in user:
        url = url.replace(f"{user}@{rest}", f"{user.partition(':')[0]}:***@{rest}", 1)
    return re.sub(r"([?&]password=)[^&]*", r"\1***", url)


def _allowed(name: str) -> str:
    found = _host_of(name)
    if found is None:
        raise UsageError(f"{name!r} is not a host name: write --allowed-host sweeps.example.org")
    return found


# A server is called by few names, and asks for each request.
@lru_cache(maxsize=64)
def _host_of(header: str) -> str | None:
    """The name in a Host header in lower case, without port and final dot; None if it has no such form."""
    text = header.strip().lower()
    if not text or any(sign in text for sign in "/@\\?# \t,"):
        return None
    if text.startswith("["):
        name, closed, port = text[1:].partition("]")
        return name if closed and _is_port(port) else None
    if text.count(":") > 1:
        return text if _is_number(text) else None
    name, colon, port = text.partition(":")
    return (name.removesuffix(".") or None) if _is_port(colon + port) else None


def _is_port(text: str) -> bool:
    return not text or (text[0] == ":" and text[1:].isdecimal() and text.isascii())


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
