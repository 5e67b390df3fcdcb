"""What the values of each key of a run add up to (`engine.folding`), kept and shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select

from besom.common.json_numbers import NON_FINITE, number_word
from besom.engine.folding import Fold
from besom.store import dialects, projects
from besom.store.prepared import Prepared
from besom.store.tables import attempt, key, run, summary

_KNOWN = frozenset(["min", "max", "mean", "first", "last"])
_PLAIN = (
    "n", "total", "min", "min_step", "max", "max_step", "nan_count", "nan_run", "first", "last_finite", "last_step",
)  # fmt: skip
_FOLD = [summary.c[name] for name in (*_PLAIN, "last", "other")]
_OF_KEY = Prepared(
    select(*_FOLD)
    .join(key, key.c.id == summary.c.key_id)
    .where(summary.c.run_id == bindparam("of"), key.c.name == bindparam("called"))
)
# So many names are asked for at once.
_AT_ONCE = 256


@cache
def _those(count: int) -> Prepared:
    """The ids of ``count`` names of a project, with what a run has logged under them."""
    names = [bindparam(f"name{at}", type_=key.c.name.type) for at in range(count)]
    mine = (summary.c.key_id == key.c.id) & (summary.c.run_id == bindparam("of"))
    query = select(key.c.name, key.c.id, *_FOLD).select_from(key).join(summary, mine, isouter=True)
    return Prepared(query.where(key.c.project_id == bindparam("project"), key.c.name.in_(names)))


class Folds(NamedTuple):
    """The folds of some keys of a run, and the ids of these keys."""

    ids: Mapping[str, int]
    of: Mapping[str, Fold]


def load(connection: Connection, project_id: int, run_id: int, names: Sequence[str]) -> Folds:
    """The folds of these keys of a run; new ones for keys that the run has not logged."""
    ids: dict[str, int] = {}
    folds = {name: Fold() for name in names}
    for at in range(0, len(names), _AT_ONCE):
        for name, key_id, *fold in _known(connection, project_id, run_id, names[at : at + _AT_ONCE]):
            ids[name] = key_id
            if fold[0] is not None:
                folds[name] = _fold(fold)
    missing = [name for name in names if name not in ids]
    return Folds(ids | projects.key_ids(connection, project_id, missing) if missing else ids, folds)


def _known(connection: Connection, project_id: int, run_id: int, names: Sequence[str]) -> list[Sequence[Any]]:
    # The last name fills up to a power of two: so there are few statements.
    count = 1 << (len(names) - 1).bit_length()
    asked = {f"name{at}": names[min(at, len(names) - 1)] for at in range(count)}
    return _those(count).all(connection, project=project_id, of=run_id, **asked)


def _fold(row: Sequence[Any]) -> Fold:
    """A fold from its columns, in the order of `_FOLD`."""
    *plain, last, other = row
    fold = Fold(**dict(zip(_PLAIN, plain, strict=True)))
    if last is not None:
        fold.last = last
    elif isinstance(other, str) and other in NON_FINITE:
        # SQLite has no NaN, so such numbers are kept as words.
        fold.last = NON_FINITE[other]
    else:
        fold.last, fold.is_number = other, False
    return fold


def save(connection: Connection, run_id: int, folds: Folds) -> None:
    """Writes folds back."""
    rows = []
    for name, fold in folds.of.items():
        number = fold.open_number()
        finite = number is not None and math.isfinite(number)
        row = {column: getattr(fold, column) for column in _PLAIN}
        row["last"] = number if finite else None
        row["other"] = None if finite else number_word(fold.last) if number is not None else fold.last
        rows.append({"run_id": run_id, "key_id": folds.ids[name], **row})
    dialects.upsert(connection, summary, ["run_id", "key_id"], rows)


def logged_keys(connection: Connection, run_id: int) -> list[str]:
    """The names that a run has logged, sorted."""
    query = select(key.c.name).join(summary, summary.c.key_id == key.c.id).where(summary.c.run_id == run_id)
    return sorted(connection.execute(query).scalars())


def find(connection: Connection, run_id: int, name: str) -> Fold | None:
    """The fold of one key of a run; None if the run has not logged it."""
    row = _OF_KEY.first(connection, of=run_id, called=name)
    return None if row is None else _fold(row)


def last_of(connection: Connection, run_id: int, name: str) -> Any:
    """The last value that a run has logged of a key, as JSON."""
    found = find(connection, run_id, name)
    assert found is not None, f"run {run_id} has no {name}"
    return found.summary([])


def of_runs(connection: Connection, run_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The summaries of runs as people see them: `define_metric` and values set by hand included."""
    shown: dict[int, dict[str, Any]] = {run_id: {} for run_id in run_ids}
    if not run_ids:
        return shown
    rules = _rules(connection, run_ids)
    query = (
        select(summary.c.run_id, key.c.name, *_FOLD)
        .join(key, key.c.id == summary.c.key_id)
        .where(summary.c.run_id.in_(run_ids))
        .order_by(key.c.name)
    )
    for run_id, name, *fold in connection.execute(query):
        defines, _ = rules.get(run_id, ({}, {}))
        kinds = summary_kinds(defines, name)
        if "none" not in kinds:
            shown[run_id][name] = _fold(fold).summary([kind for kind in kinds if kind in _KNOWN])
    for run_id, (_, by_hand) in rules.items():
        _set_by_hand(shown[run_id], by_hand)
    return shown


def _rules(connection: Connection, run_ids: Sequence[int]) -> dict[int, tuple[dict[str, Any], dict[str, Any]]]:
    query = (
        select(run.c.id, attempt.c.defines, attempt.c.summary_set)
        .join(attempt, (attempt.c.run_id == run.c.id) & (attempt.c.number == run.c.attempt))
        .where(run.c.id.in_(run_ids))
    )
    return {row.id: (row.defines, row.summary_set) for row in connection.execute(query)}


def summary_kinds(defines: Mapping[str, Any], name: str) -> list[str]:
    """What `define_metric` says that the summary of a key shows; the longest pattern that fits, else nothing."""
    fitting = [pattern for pattern in defines if pattern == name or _fits(pattern, name)]
    if not fitting:
        return []
    pattern = name if name in fitting else max(fitting, key=len)
    return list(defines[pattern].get("summary") or [])


def _fits(pattern: str, name: str) -> bool:
    return pattern.endswith("*") and name.startswith(pattern[:-1])


def _set_by_hand(shown: dict[str, Any], by_hand: Mapping[str, Any]) -> None:
    for name, entry in by_hand.items():
        if "value" in entry:
            shown[name] = entry["value"]
        else:
            shown.pop(name, None)


def with_hand_set(by_hand: Mapping[str, Any], values: Mapping[str, Any], deleted: Iterable[str]) -> dict[str, Any]:
    """The values set by hand after one more record: ``{"value": v}`` a name, ``{}`` for a name that was deleted."""
    return {**by_hand, **{str(name): {} for name in deleted}, **{name: {"value": v} for name, v in values.items()}}
