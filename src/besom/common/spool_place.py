"""Where new run folders go: the state folder, or a local disk when that one lies on a network.

A write into a file of a network may take milliseconds, and each `log` is one write. ``BESOM_DIR`` names one folder
for everything and is taken at its word.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from besom.common.file_system import network_kind
from besom.common.places import runs_folder
from besom.errors import UsageError


class SpoolPlace(NamedTuple):
    """``runs`` holds the folders of new runs, ``lasting`` what must outlive the job, on the kind ``network``.

    They differ only where ``network`` is set.
    """

    runs: Path
    lasting: Path
    network: str | None = None

    @property
    def all(self) -> list[Path]:
        """Every folder in which runs may have been left."""
        return list(dict.fromkeys([self.runs, self.lasting]))

    @property
    def remark(self) -> str:
        """The line for the person whose runs lie elsewhere than usual; empty when they do not."""
        if self.network is None:
            return ""
        return (
            f"{self.lasting} is on a network file system ({self.network}): runs are recorded in {self.runs} until the "
            "server has them (BESOM_DIR names another folder)"
        )

    def saved_files(self, run_uid: str) -> str | None:
        """Where the files that a run saves outlive a local disk; None when its own folder does."""
        return None if self.network is None else str(self.lasting / run_uid / "files")


def spool_place(environ: Mapping[str, str] = os.environ, mounts: str | None = None) -> SpoolPlace:
    """The place of this user's run folders; makes ``$TMPDIR/besom-<uid>`` (mode 0700) when they go there.

    ``mounts`` as for `network_kind`. Raises UsageError if that folder is somebody else's.
    """
    lasting = runs_folder(environ)
    kind = None if environ.get("BESOM_DIR") else network_kind(lasting, mounts)
    if kind is None:
        return SpoolPlace(lasting, lasting)
    named = environ.get("TMPDIR", "")
    local = Path(named if os.path.isabs(named) else "/tmp") / f"besom-{os.getuid()}"
    if network_kind(local, mounts) is not None or not _is_ours(local):
        return SpoolPlace(lasting, lasting)
    return SpoolPlace(local / "runs", lasting, kind)


def _is_ours(folder: Path) -> bool:
    """Makes a folder that nobody else reads; False if none can be made there."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError:
        return False
    found = folder.lstat()
    # A folder for everybody lets everybody make this one first, or a link that leads elsewhere.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise UsageError(
            f"{folder} is not a folder of yours, so no run is recorded there: set TMPDIR or BESOM_DIR to a folder that "
            "only you can write"
        )
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)
    return True
