"""The table of a sweep's runs, as `besom show` and `besom run` print it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from besom.cli.output import cell, make_table, print_table, state_cell, text_width
from besom.cli.words import params_text, run_score_text, runtime_text, value_text
from besom.command import flatten
from besom.common.json_numbers import as_number
from besom.common.wording import NONE, error_line

if TYPE_CHECKING:
    from rich.console import Console

_GAP = 2
# Runs that a warning names before it says "…".
_MOST_NAMED = 3


@dataclass(frozen=True)
class Column:
    """A column: its title, its cells, and whether they are numbers or may be wrapped."""

    title: str
    texts: Sequence[str]
    right: bool = False
    wraps: bool = False

    @property
    def width(self) -> int:
        """Characters that it takes side by side with others."""
        return max(map(text_width, (self.title, *self.texts))) + _GAP


def print_runs(
    out: Console, runs: Sequence[Mapping[str, Any]], metric: str | None, *, now: float, rest: str = ""
) -> None:
    """Runs in the given order: id, state, score, the params in which they differ, time, and why a run ended early.

    Where the terminal is too narrow, the reasons stand below the table; where it is narrower still, the params share
    one column. ``now``: seconds since 1970; ``rest`` is a line about runs that the table leaves out.
    """
    reasons = Column("why", [reason(run) for run in runs])
    time = Column("time", [runtime_text(run, now) for run in runs], right=True)
    columns, below = _fitting(runs, metric, time, reasons, out.width)
    table = make_table(*((column.title, "right" if column.right else "left") for column in columns))
    for drawn, column in zip(table.columns, columns, strict=True):
        drawn.no_wrap = not column.wraps
    for row, run in enumerate(runs):
        best = row == 0 and run["score"] is not None
        cells = [cell(column.texts[row], "bold" if best and column.title == "run" else "") for column in columns]
        cells[1] = state_cell(run["state"])
        table.add_row(*cells)
    print_table(out, table)
    if rest:
        out.print(cell(rest))
    if below:
        _print_reasons(out, runs, reasons.texts)
    for line in _warning_lines(runs):
        out.print(cell(f"\n{line}", "yellow"))


def _warning_lines(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Each warning once, with the runs that it is about unless these are all."""
    told: dict[str, list[str]] = {}
    for run in runs:
        for warning in run["warnings"]:
            told.setdefault(warning, []).append(run["id"])
    for warning, ids in told.items():
        more = ", …" if len(ids) > _MOST_NAMED else ""
        about = "" if len(ids) == len(runs) else f" ({', '.join(ids[:_MOST_NAMED])}{more})"
        yield f"warning{about}: {warning}"


def _fitting(
    runs: Sequence[Mapping[str, Any]], metric: str | None, time: Column, reasons: Column, width: int
) -> tuple[list[Column], bool]:
    """The columns that fit side by side, and whether the reasons must stand below them."""
    names = differing_params(runs)
    flat = [dict(flatten(run["params"])) for run in runs]
    front = [Column("run", [run["id"] for run in runs]), Column("state", [run["state"] for run in runs])]
    if metric is not None:
        front.append(Column(metric, [run_score_text(run) for run in runs], right=True))
    params = [_param_column(name, [values.get(name, NONE) for values in flat]) for name in names]
    why = [reasons] if any(reasons.texts) else []
    if _width([*front, *params, time, *why]) <= width:
        return [*front, *params, time, *why], False
    if _width([*front, *params, time]) <= width:
        return [*front, *params, time], bool(why)
    shared = [params_text({name: values[name] for name in names if name in values}) for values in flat]
    return [*front, time, Column("params", shared, wraps=True)], bool(why)


def _param_column(name: str, values: Sequence[Any]) -> Column:
    numbers = all(value == NONE or as_number(value) is not None for value in values)
    return Column(name, [value_text(value) for value in values], right=numbers)


def _width(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns) - _GAP


def _print_reasons(out: Console, runs: Sequence[Mapping[str, Any]], reasons: Sequence[str]) -> None:
    table = make_table("", "")
    table.show_header = False
    table.columns[0].no_wrap = True
    for run, text in zip(runs, reasons, strict=True):
        if text:
            table.add_row(cell(run["id"]), cell(text))
    out.print()
    print_table(out, table)


def differing_params(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the params in which the runs differ, all of them for a single run."""
    flat = [dict(flatten(run["params"])) for run in runs]
    names = dict.fromkeys(name for params in flat for name in params)
    if len(runs) == 1:
        return list(names)
    return [name for name in names if len({repr(params.get(name)) for params in flat}) > 1]


def reason(run: Mapping[str, Any]) -> str:
    """Why a run was stopped or failed: one line, nothing for most runs."""
    # A run that was done before the word to stop reached it has not been stopped.
    stopped = run["stop_reason"] if run["state"] != "finished" else None
    return error_line(str(stopped or run["error"] or ""))
