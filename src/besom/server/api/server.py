"""What the server tells of itself, its backup and its end."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from besom.common.discovery import API_VERSION, host_name
from besom.common.version import VERSION
from besom.errors import Refused
from besom.server.endpoint import Ask
from besom.server.services import Services
from besom.server.settings import mask_db
from besom.store import status as holdings
from besom.store.copies import bytes_beside
from besom.wire.encoding import encode, iso
from besom.wire.server import Health, Me, ServerStatus, Vacuumed

log = logging.getLogger("besom.server")

# A copy in the data folder until it has been sent.
BACKUP_DRAFT = ".backup-"


def health(services: Services, _request: Request) -> Response:
    """That a Besom server answers here; needs no proof."""
    answer = Health(name="besom", version=VERSION, api=API_VERSION, server_id=services.keys.server_id)
    return Response(encode(answer), media_type="application/json")


def openapi(document: dict[str, Any]) -> Response:
    """The OpenAPI document of this API."""
    return Response(encode(document), media_type="application/json")


async def me(ask: Ask) -> Me:
    """Who the token or cookie stands for."""
    who = ask.who
    return Me(
        entity=who.entity, scope=who.scope, token_name=who.token_name, version=VERSION, api=API_VERSION,
        url=ask.base_url,
    )  # fmt: skip


async def status(ask: Ask) -> ServerStatus:
    """Where the server is and what it holds."""
    services = ask.services
    counts = await ask.read(holdings.counts, ask.now)
    return ServerStatus(
        url=services.url or ask.base_url, pid=os.getpid(), data=str(services.settings.data),
        db=mask_db(services.settings.db_url), version=VERSION, api=API_VERSION, host=host_name(),
        started=iso(services.started) or "", **counts, **await asyncio.to_thread(_sizes, services),
    )  # fmt: skip


def _sizes(services: Services) -> dict[str, int]:
    data, file = services.settings.data, services.settings.db_file
    return {
        "database_bytes": services.database.size(),
        "logs_bytes": sum(path.stat().st_size for path in data.glob("server*.log*")),
        "copies_bytes": 0 if file is None else bytes_beside(file),
        "free_bytes": shutil.disk_usage(data).free,
    }


async def vacuum(ask: Ask) -> Vacuumed:
    """Gives the space of what was removed back to the disk. On SQLite changes wait meanwhile, looks do not."""
    database = ask.services.database
    began = time.monotonic()
    before = await asyncio.to_thread(database.size)
    await asyncio.to_thread(database.vacuum)
    after = await asyncio.to_thread(database.size)
    log.info("vacuum: %d bytes before, %d after", before, after)
    return Vacuumed(before=before, after=after, seconds=time.monotonic() - began)


async def backup(ask: Ask) -> FileResponse:
    """A copy of the SQLite database as it is now."""
    services = ask.services
    if services.settings.db_file is None:
        raise Refused("the database is a PostgreSQL server's: back it up with pg_dump")
    copy = services.settings.data / f"{BACKUP_DRAFT}{secrets.token_hex(8)}.db"
    try:
        await asyncio.to_thread(services.database.backup, copy)
    except BaseException:
        copy.unlink(missing_ok=True)
        raise
    return FileResponse(
        copy, media_type="application/vnd.sqlite3", filename="besom.db", background=BackgroundTask(_remove, copy)
    )


def _remove(copy: Path) -> None:
    copy.unlink(missing_ok=True)


async def stop(ask: Ask) -> None:
    """Ends the server after this answer."""
    asyncio.get_running_loop().call_soon(ask.services.end)
