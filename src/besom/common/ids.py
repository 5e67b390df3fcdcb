"""Names that users see and keys that machines use."""

from __future__ import annotations

import random
import re

from besom.errors import UsageError

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
SWEEP_ID = re.compile(r"[a-z0-9]{8}")
# What the official client refuses in a run name, plus control characters.
_RUN_NAME = re.compile(r"[^\x00-\x1f\x7f:;,#?/'%\\]{1,128}")
_PROJECT_NAME = re.compile(r"[^\x00-\x1f\x7f/\\#?%:]{1,128}")
RESERVED_ENTITIES = frozenset(
    ["api", "graphql", "files", "agents", "settings", "login", "health", "assets", "sdk"],
)


def new_id(length: int = 8) -> str:
    """A fresh id of ``[a-z0-9]`` from the system's random source: 8 for what users see, 16 for uids."""
    source = random.SystemRandom()
    return "".join(source.choice(ALPHABET) for _ in range(length))


def check_run_name(name: str) -> str:
    """The name itself; raises UsageError when a run cannot bear it."""
    if not _RUN_NAME.fullmatch(name) or name in (".", ".."):
        raise UsageError(f"run id {name!r} cannot be used: 1 to 128 characters, none of : ; , # ? / ' % \\")
    return name


def check_project_name(name: str) -> str:
    """The name itself; raises UsageError when a project cannot bear it."""
    if not _PROJECT_NAME.fullmatch(name) or name in (".", ".."):
        raise UsageError(f"project name {name!r} cannot be used: 1 to 128 characters, none of / \\ # ? % :")
    return name


def check_entity_name(name: str) -> str:
    """The name itself; raises UsageError when an entity cannot bear it."""
    check = check_project_name(name)
    if name in RESERVED_ENTITIES:
        raise UsageError(f"entity name {name!r} is an address of the server: take another one")
    return check


def split_path(path: str, noun: str) -> tuple[str | None, str | None, str]:
    """``[ENTITY/][PROJECT/]ID`` → (entity, project, id); raises UsageError for any other form."""
    parts = path.strip().strip("/").split("/")
    if not 1 <= len(parts) <= 3 or not all(parts):
        raise UsageError(f"{path!r} is not a {noun}: write ID, PROJECT/ID or ENTITY/PROJECT/ID")
    padded: list[str | None] = [None] * (3 - len(parts)) + list(parts)
    return padded[0], padded[1], parts[-1]
