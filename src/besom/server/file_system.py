"""What a network file system under the data folder means for its user."""

from __future__ import annotations


def network_remark(kind: str) -> str:
    """The line that tells the user what such a file system means for him."""
    return f"the data folder is on a network file system ({kind}): the database is opened for one process alone"
