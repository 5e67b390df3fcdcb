"""Projects: made when somebody first names them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from besom.store import dialects
from besom.store.tables import key, project

# Both databases bound how many values a statement may have.
_AT_ONCE = 1000
_KEYS = select(key.c.name, key.c.id).where(
    key.c.project_id == bindparam("project"), key.c.name.in_(bindparam("names", expanding=True))
)


def get_or_make(connection: Connection, entity: str, name: str, now: float) -> int:
    """The project's id."""
    row = {"entity": entity, "name": name, "created": now}
    dialects.insert_or_leave(connection, project, ["entity", "name"], [row])
    query = select(project.c.id).where(project.c.entity == entity, project.c.name == name)
    return int(connection.execute(query).scalar_one())


def find(connection: Connection, entity: str, name: str) -> int | None:
    """The project's id, None if there is none."""
    query = select(project.c.id).where(project.c.entity == entity, project.c.name == name)
    return connection.execute(query).scalar()


def key_ids(connection: Connection, project_id: int, names: list[str]) -> dict[str, int]:
    """The ids of logged names, made where they are new."""
    found = known_key_ids(connection, project_id, names)
    missing = [{"project_id": project_id, "name": name} for name in names if name not in found]
    if missing:
        dialects.insert_or_leave(connection, key, ["project_id", "name"], missing)
        found = known_key_ids(connection, project_id, names)
    return found


def known_key_ids(connection: Connection, project_id: int, names: Sequence[str]) -> dict[str, int]:
    """The ids of those names that were logged before."""
    found: dict[str, int] = {}
    for at in range(0, len(names), _AT_ONCE):
        asked = {"project": project_id, "names": names[at : at + _AT_ONCE]}
        found.update({row.name: row.id for row in connection.execute(_KEYS, asked)})
    return found


def names(connection: Connection, project_id: int) -> tuple[str, str]:
    """Entity and name of a project."""
    row = connection.execute(select(project.c.entity, project.c.name).where(project.c.id == project_id)).one()
    return row.entity, row.name
