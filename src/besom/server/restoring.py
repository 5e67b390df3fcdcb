"""`besom server restore`: a backup becomes the database of a data folder, while no server runs there."""

from __future__ import annotations

import time
from pathlib import Path

from besom.errors import Refused
from besom.server import lock
from besom.server.settings import Settings, mask_db
from besom.store import restoring


def restore(settings: Settings, copy: Path) -> Path | None:
    """Puts the backup in place; returns where the replaced database is kept, None if there was none.

    Raises Refused while a server runs on this or another host, and what `store.restoring` raises.
    """
    target = settings.db_file
    if target is None:
        raise Refused(f"the database is {mask_db(settings.db_url)}: restore it with pg_restore or psql")
    held = lock.take(settings.data)
    try:
        return restoring.restore(copy, target, time.time())
    finally:
        held.release()
