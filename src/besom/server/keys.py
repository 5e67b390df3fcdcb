"""What makes a data folder one server: its id, its entity, its local token and the key that signs cookies.

All are made when the server first starts and stay in files that only this user can read.
"""

from __future__ import annotations

import getpass
import json
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from besom.common.discovery import TOKEN_FILE, read_token
from besom.common.ids import RESERVED_ENTITIES, new_id
from besom.common.places import make_private, write_private
from besom.errors import DataFolderError

FILE = "keys.json"
TOKEN_LENGTH = 48


@dataclass(frozen=True, slots=True)
class Keys:
    """The server's lasting secrets and names. ``token`` is the local one, of scope admin."""

    server_id: str
    entity: str
    cookie_key: str = field(repr=False)
    token: str = field(repr=False)

    @property
    def cookie_name(self) -> str:
        """Named after the server: two servers on one host name keep their cookies apart."""
        return f"besom-{self.server_id}"


def load_or_make(data: Path) -> Keys:
    """The keys of a data folder, made on the first call; raises DataFolderError when they cannot be read."""
    make_private(data)
    path = data / FILE
    if not path.exists():
        new = {"server_id": new_id(), "entity": entity_name(_login_name()), "cookie_key": secrets.token_hex(32)}
        write_private(path, json.dumps(new, indent=1))
    token = read_token(data) or new_token(data)
    for secret in (path, data / TOKEN_FILE):
        secret.chmod(0o600)
    try:
        return Keys(**json.loads(path.read_text(encoding="utf-8")), token=token)
    except (OSError, ValueError, TypeError) as error:
        raise DataFolderError(f"{path} cannot be read ({error}): move it away and start the server again") from None


def new_token(data: Path) -> str:
    """A fresh local token, written into its file."""
    token = new_id(TOKEN_LENGTH)
    write_private(data / TOKEN_FILE, token + "\n")
    return token


def entity_name(login: str) -> str:
    """A login name as an entity: what an address cannot bear becomes a hyphen."""
    name = re.sub(r"[^\w.@+-]+", "-", login.strip()).strip("-.")[:64] or "user"
    return f"{name}-1" if name in RESERVED_ENTITIES else name


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "user"
