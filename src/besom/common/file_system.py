"""Which kind of file system a folder lies on: databases, locks and spools need care on those of a network."""

from __future__ import annotations

import os
from pathlib import Path

NETWORK_KINDS = frozenset(
    [
        "nfs", "nfs4", "lustre", "gpfs", "beegfs", "ceph", "cifs", "smb3", "smbfs", "afs", "glusterfs", "pvfs2",
        "panfs", "wekafs", "9p", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.juicefs",
    ]
)  # fmt: skip


def network_kind(folder: Path, mounts: str | None = None) -> str | None:
    """The kind of network file system under the folder ("nfs4", "lustre"); None for a local one or where unknown.

    ``mounts`` is the text of /proc/mounts.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
    path = os.path.realpath(folder)
    best, kind = "", None
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        is_above = point == "/" or path == point or path.startswith(point + "/")
        if is_above and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind if kind in NETWORK_KINDS else None
