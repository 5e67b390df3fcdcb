"""Where things lie on disk: one table of folders.

``BESOM_DIR`` puts all of them below one folder; else the XDG variables and their defaults hold.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def _place(environ: Mapping[str, str], kind: str, xdg: str, default: str) -> Path:
    from pathlib import Path

    if besom_dir := environ.get("BESOM_DIR"):
        return Path(besom_dir).expanduser().absolute() / kind
    base = environ.get(xdg)
    if base and os.path.isabs(base):
        return Path(base) / "besom"
    return Path(environ.get("HOME") or os.path.expanduser("~")) / default / "besom"


def data_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Database, log, discovery file and local token of this user's own server."""
    return _place(environ, "data", "XDG_DATA_HOME", ".local/share")


def config_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Stored logins (mode 0600)."""
    return _place(environ, "config", "XDG_CONFIG_HOME", ".config")


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Run folders with their spools."""
    return _place(environ, "state", "XDG_STATE_HOME", ".local/state")


def runs_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder that holds one run folder for each run uid."""
    return state_folder(environ) / "runs"


def make_private(folder: Path) -> Path:
    """Makes the folder (mode 0700, parents too) and returns it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def write_private(path: Path | str, text: str, *, durable: bool = True) -> None:
    """Writes a file that only this user can read, whole or not at all; if ``durable``, a power cut cannot lose it."""
    folder, name = os.path.split(path)
    draft = os.path.join(folder, f".{name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except FileNotFoundError:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        _write(descriptor, text.encode())
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(draft, path)


def overwrite(descriptor: int, text: bytes) -> None:
    """Writes JSON over what is in the file, in place, with blanks to its end: cheaper than a new file.

    A text of a page or less is there whole or not at all when this process is killed.
    """
    os.lseek(descriptor, 0, os.SEEK_SET)
    _write(descriptor, text.ljust(os.fstat(descriptor).st_size))


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
