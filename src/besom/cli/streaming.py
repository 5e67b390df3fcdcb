"""Answers of any length, written while they are read: a sweep may have more runs than fit in memory."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from besom.cli.output import csv_cell
from besom.common.json_numbers import dumps
from besom.errors import UsageError


def json_list(items: Iterable[Iterable[str]]) -> Iterator[str]:
    """A JSON list, an item a line; each item is its own text in pieces."""
    yield "["
    between = "\n"
    for item in items:
        yield between
        yield from item
        between = ",\n"
    yield "\n]\n" if between != "\n" else "]\n"


def json_item(item: Any) -> Iterator[str]:
    """A value as one piece of JSON."""
    yield dumps(item)


def with_list(head: Mapping[str, Any], name: str, items: Iterable[Iterable[str]]) -> Iterator[str]:
    """A JSON object whose last key holds a list, an item a line."""
    yield dumps(head)[:-1] + ("," if head else "") + json.dumps(name) + ":"
    yield from json_list(items)
    yield "}"


def csv_pieces(rows: Iterable[Mapping[str, Any]], first: Sequence[str]) -> Iterator[str]:
    """CSV whose columns are ``first`` and all that any row has, in the order in which they first appear.

    Lists and dicts stand there as JSON, non-finite numbers as ``nan, inf, -inf``, None as nothing. Until the last row
    has told its columns, the rows wait in a file.
    """
    columns = dict.fromkeys(first)
    with tempfile.TemporaryFile("w+", encoding="utf-8") as waiting:
        for row in rows:
            columns.update(dict.fromkeys(row))
            waiting.write(dumps(row) + "\n")
        waiting.seek(0)
        yield _csv_line(columns)
        for line in waiting:
            row = json.loads(line)
            yield _csv_line(csv_cell(row.get(column)) for column in columns)


def _csv_line(cells: Iterable[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def write_pieces(pieces: Iterable[str], output: str | None = None) -> None:
    """Writes to stdout, or to a file that is there only when it is whole; raises UsageError where it cannot be."""
    if output is None:
        for piece in pieces:
            sys.stdout.write(piece)
        sys.stdout.flush()
        return
    partly = Path(f"{output}.part")
    try:
        with partly.open("w", encoding="utf-8") as file:
            for piece in pieces:
                file.write(piece)
        os.replace(partly, output)
    except OSError as error:
        raise UsageError(f"{output} cannot be written ({error.strerror or error})") from None
    finally:
        partly.unlink(missing_ok=True)
