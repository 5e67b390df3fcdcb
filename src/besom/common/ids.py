"""Names that users see and keys that machines use."""

from __future__ import annotations

import os
import re

from besom.errors import UsageError

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
# Of a random byte; 252 is the largest multiple of 36 below 256: so each letter is as likely as any other.
_LETTERS = (ALPHABET * 8).encode()[:256]
_TOO_LARGE = bytes(range(252, 256))
SWEEP_ID = re.compile(r"[a-z0-9]{8}")
# What the official client refuses in a run name, plus control characters.
_RUN_NAME = re.compile(r"[^\x00-\x1f\x7f:;,#?/'%\\]{1,128}")
# It stands in addresses and is a folder's name.
_UID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")
_PROJECT_NAME = re.compile(r"[^\x00-\x1f\x7f/\\#?%:]{1,128}")
RESERVED_ENTITIES = frozenset(
    ["api", "graphql", "files", "agents", "settings", "login", "health", "assets", "sdk"],
)


def new_id(length: int = 8) -> str:
    """A fresh id of ``[a-z0-9]`` from the system's random source: 8 for what users see, 16 for uids."""
    letters = b""
    while len(letters) < length:
        letters += os.urandom(2 * length).translate(_LETTERS, _TOO_LARGE)
    return letters[:length].decode()


def check_run_name(name: str) -> str:
    """The name itself; raises UsageError when a run cannot bear it."""
    if not _RUN_NAME.fullmatch(name) or name in (".", ".."):
        raise UsageError(f"run id {_shown(name)} cannot be used: 1 to 128 characters, none of : ; , # ? / ' % \\")
    return name


def check_uid(uid: str) -> str:
    """The inner id itself that a run's or an agent's maker gave it; raises UsageError for an impossible one."""
    if not _UID.fullmatch(uid):
        raise UsageError(f"the uid {_shown(uid)} cannot be used: 1 to 128 of A-Z a-z 0-9 . _ - and no . in front")
    return uid


def check_project_name(name: str) -> str:
    """The name itself; raises UsageError when a project cannot bear it."""
    if not _PROJECT_NAME.fullmatch(name) or name in (".", ".."):
        raise UsageError(f"project name {_shown(name)} cannot be used: 1 to 128 characters, none of / \\ # ? % :")
    return name


def check_entity_name(name: str) -> str:
    """The name itself; raises UsageError when an entity cannot bear it."""
    check = check_project_name(name)
    if name in RESERVED_ENTITIES:
        raise UsageError(f"entity name {name!r} is an address of the server: take another one")
    return check


def _shown(name: str) -> str:
    return repr(name if len(name) <= 130 else name[:40] + "…")


def split_path(path: str, noun: str) -> tuple[str | None, str | None, str]:
    """``[ENTITY/][PROJECT/]ID`` → (entity, project, id); raises UsageError for any other form."""
    parts = path.strip().strip("/").split("/")
    if not 1 <= len(parts) <= 3 or not all(parts):
        raise UsageError(f"{path!r} is not a {noun}: write ID, PROJECT/ID or ENTITY/PROJECT/ID")
    padded: list[str | None] = [None] * (3 - len(parts)) + list(parts)
    return padded[0], padded[1], parts[-1]
