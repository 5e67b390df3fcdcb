"""What runs have printed."""

from __future__ import annotations

import zstandard
from sqlalchemy import Connection, select

from besom.store import runs, streams
from besom.store.tables import console


def read(
    connection: Connection, run_uid: str, number: int | None = None, offset: int = 0, limit: int = 256 * 1024
) -> tuple[bytes, int]:
    """At most ``limit`` bytes of an attempt's output (of the last one by default) from ``offset``, and what follows.

    A negative ``offset`` counts from the end. Raises NotFound for a run or attempt that does not exist.
    """
    run = runs.get(connection, run_uid)
    attempt = runs.get_attempt(connection, run, run.attempt if number is None else number)
    found = streams.of_attempt(connection, attempt.id, "console")
    if not found:
        return b"", max(offset, 0)
    stream = found[0]
    start = max(0, stream.next_offset + offset) if offset < 0 else offset
    query = (
        select(console)
        .where(
            console.c.stream_id == stream.id,
            console.c.offset < start + limit,
            console.c.offset + console.c.n > start,
        )
        .order_by(console.c.offset)
    )
    pieces = []
    for row in connection.execute(query):
        data = zstandard.decompress(row.data)
        pieces.append(data[max(0, start - row.offset) : start + limit - row.offset])
    text = b"".join(pieces)
    return text, start + len(text)
