from __future__ import annotations

import math
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, insert, literal, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from besom.store.database import Database
from besom.store.prepared import Prepared, change, insert_one
from besom.store.tables import event, project

ADD = Prepared(insert(project).returning(project.c.id), ["entity", "name", "created"])
NAMED = Prepared(
    select(project.c.entity, project.c.created).where(project.c.name == bindparam("which")).order_by(project.c.id)
)


def add(database: Database, **values: Any) -> int:
    row = {"entity": "mira", "name": "p", "created": 1.5, **values}
    return database.write_now(lambda c: ADD.value(c, **row))


def test_an_insert_gives_the_id_and_a_select_the_row(database: Database) -> None:
    first, second = add(database), add(database, name="q")
    assert second > first
    assert tuple(database.read_now(NAMED.first, which="p") or ()) == ("mira", 1.5)
    assert database.read_now(NAMED.first, which="nobody") is None
    assert database.read_now(NAMED.value, which="nobody") is None


def test_all_gives_every_row_in_order(database: Database) -> None:
    add(database, entity="b")
    add(database, entity="a")
    assert [row[0] for row in database.read_now(NAMED.all, which="p")] == ["b", "a"]


def test_texts_and_json_are_kept_as_everywhere_in_the_store(database: Database) -> None:
    add(database, entity="nul\x00")
    told = Prepared(insert(event), ["at", "sweep_uid", "run_uid", "kind", "data"])
    row = {"at": 1.0, "sweep_uid": None, "run_uid": "r", "kind": "run.created", "data": {"loss": math.nan}}
    database.write_now(lambda c: told.many(c, [row, {**row, "run_uid": "s"}]))
    kept = Prepared(select(event.c.run_uid, event.c.data).order_by(event.c.id))
    assert database.read_now(NAMED.value, which="p") == "nul\N{REPLACEMENT CHARACTER}"
    assert [tuple(found) for found in database.read_now(kept.all)] == [("r", {"loss": "NaN"}), ("s", {"loss": "NaN"})]


def test_values_that_belong_to_the_statement_need_not_be_given(database: Database) -> None:
    add(database)
    chosen = Prepared(select(project.c.name).where(project.c.entity.in_([literal("mira"), literal("ada")])).limit(1))
    assert database.read_now(chosen.value) == "p"


def test_a_change_sets_columns_of_one_row(database: Database) -> None:
    first = add(database)
    add(database, name="q")
    database.write_now(lambda c: change(c, project, first, {"entity": "ada", "created": 2.0}))
    assert tuple(database.read_now(NAMED.first, which="p") or ()) == ("ada", 2.0)
    assert tuple(database.read_now(NAMED.first, which="q") or ()) == ("mira", 1.5)


def test_a_change_can_tell_which_row_it_found(database: Database) -> None:
    first = add(database)
    found = Prepared(project.update().where(project.c.id == bindparam("which")).returning(project.c.id), ["name"])
    assert database.write_now(lambda c: found.value(c, which=first, name="r")) == first
    assert database.write_now(lambda c: found.value(c, which=first + 1, name="r")) is None


def test_the_drivers_errors_are_those_of_sqlalchemy_and_undo_the_change(database: Database) -> None:
    add(database)

    def twice(connection: Connection) -> None:
        ADD.value(connection, entity="mira", name="q", created=1.0)
        ADD.value(connection, entity="mira", name="p", created=1.0)

    with pytest.raises(IntegrityError):
        database.write_now(twice)
    assert database.read_now(NAMED.first, which="q") is None
    with pytest.raises(DBAPIError):
        database.write_now(lambda c: Prepared(select(literal(1)).select_from(project.alias("p")).where(
            project.c.id == bindparam("which"))).first(c, which=object()))  # fmt: skip
    assert add(database, name="q") > 0


def test_a_column_that_the_table_does_not_have_is_a_mistake(sqlite_database: Database) -> None:
    row = {"entity": "mira", "name": "p", "created": 1.0, "colour": "red"}
    with pytest.raises(KeyError, match="colour"):
        sqlite_database.write_now(insert_one, project, row)
