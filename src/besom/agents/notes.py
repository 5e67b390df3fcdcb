"""What an agent keeps on disk of each attempt that it watches, for a successor should it die.

The file `agent-<attempt>.json` of the run folder is written before the child starts, and again in place at each turn:
``child`` (pid and start time) when it has started, ``end`` (fields of ``FinishRun``) before the server hears it,
``told`` when the server has confirmed it. ``agent``, ``server``, ``attempt`` and the process say whose it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from besom.client.run_folder import RunFolder
from besom.common.places import make_private, overwrite


class Note:
    """The note of one attempt; ``process`` as `run_folder.this_process` gives it."""

    def __init__(
        self, folder: RunFolder, attempt: int, process: Mapping[str, Any], agent_uid: str, server_id: str | None
    ) -> None:
        self._facts = {
            **process, "agent": agent_uid, "server": server_id, "attempt": attempt,
            "child": None, "end": None, "told": False,
        }  # fmt: skip
        self._descriptor = _open(folder, attempt)
        self.add()

    def add(self, **facts: Any) -> None:
        """Writes what is known by now. No fsync: who comes after a power cut has no child to end."""
        self._facts.update(facts)
        overwrite(self._descriptor, json.dumps(self._facts).encode())

    def close(self) -> None:
        """Nothing more will be added."""
        os.close(self._descriptor)


def _open(folder: RunFolder, attempt: int) -> int:
    """Makes the folder and the file; most times neither is there."""
    try:
        os.mkdir(folder.place, 0o700)
    except FileExistsError:
        pass
    except FileNotFoundError:
        make_private(folder.path)
    return os.open(os.path.join(folder.place, f"agent-{attempt}.json"), os.O_WRONLY | os.O_CREAT, 0o600)
