"""Removes rows that nobody will ask for any more, so that a server that runs for years does not grow by them."""

from __future__ import annotations

from sqlalchemy import Connection, and_, delete, or_

from besom.store.tables import agent, token

# The token in the data folder's file: while its row is there, a revoked one is not taken for a new one.
LOCAL_TOKEN_NAME = "local"


def drop_agents(connection: Connection, before: float) -> int:
    """Forgets agents that ended before a time; their runs stay. Returns how many."""
    return connection.execute(delete(agent).where(agent.c.state == "ended", agent.c.ended < before)).rowcount


def drop_tokens(connection: Connection, before: float) -> int:
    """Forgets tokens that were made and had expired or been revoked before a time; returns how many."""
    revoked = and_(token.c.revoked, token.c.created < before, token.c.name != LOCAL_TOKEN_NAME)
    query = delete(token).where(or_(token.c.expires < before, revoked))
    return connection.execute(query).rowcount
