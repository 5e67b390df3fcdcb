"""What every table is made of: kinds of columns that mean the same on both databases."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
)

from besom.common.json_numbers import dumps


def storable(text: str) -> str:
    """The text without what one of the two databases refuses: NUL characters and lone surrogates."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "�").encode("utf-8", "replace").decode("utf-8")


def _stored_words(value: str | None) -> str | None:
    return None if value is None else storable(value)


class Words(TypeDecorator[str]):
    """Text that somebody outside wrote."""

    impl = Text
    cache_ok = True

    stored = staticmethod(_stored_words)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Makes the text storable."""
        return _stored_words(value)


def _as_json(value: Any) -> str:
    try:
        text = msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError):
        return dumps(value)
    # It is several times as fast, but writes null for a NaN and an infinity.
    return dumps(value) if b"null" in text else text.decode()


def _stored_json(value: Any) -> str | None:
    return None if value is None else storable(_as_json(value))


class Json(TypeDecorator[Any]):
    """A JSON value as text, the same on both databases; non-finite numbers become words."""

    impl = Text
    cache_ok = True

    stored = staticmethod(_stored_json)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Writes strict JSON."""
        return _stored_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Reads it back."""
        if value == "{}":
            return {}
        if value == "[]":
            return []
        return None if value is None else json.loads(value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_Id = BigInteger().with_variant(Integer, "sqlite")


def own_id() -> Column[Any]:
    """The whole number by which rows here refer to a row."""
    return Column("id", _Id, primary_key=True)


def belongs_to(other: str, *, null: bool = False, index: bool = False, key: bool = False) -> Column[Any]:
    """A reference to a row that this row goes with."""
    return Column(
        f"{other}_id",
        _Id,
        ForeignKey(f"{other}.id", ondelete="SET NULL" if null and other == "agent" else "CASCADE"),
        nullable=null,
        index=index,
        primary_key=key,
        autoincrement=False,
    )


def words(name: str, *, null: bool = False, **more: Any) -> Column[Any]:
    """Text that somebody outside wrote."""
    return Column(name, Words, nullable=null, **more)


def seconds(name: str, *, null: bool = False) -> Column[Any]:
    """A moment, since 1970 (UTC), or how long something lasts."""
    return Column(name, Float(53), nullable=null)


def count(name: str) -> Column[Any]:
    """How many, from 0 on."""
    return Column(name, BigInteger, nullable=False, default=0, server_default="0")


def flag(name: str) -> Column[Any]:
    """0 or 1."""
    return Column(name, Integer, nullable=False, default=0, server_default="0")
