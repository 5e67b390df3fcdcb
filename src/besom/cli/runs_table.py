"""The table of a sweep's runs, as `besom show` and `besom run` print it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from besom.cli.output import cell, make_table, state_cell
from besom.cli.words import NONE, duration, flatten, params_text, run_score_text, value_text

if TYPE_CHECKING:
    from rich.table import Table

_LONGEST_COLUMN = 24


def runs_table(runs: Sequence[Mapping[str, Any]], metric: str | None, width: int) -> Table:
    """Runs in the given order: id, state, score, the params in which they differ, time, and why a run ended early.

    Where the params do not fit into ``width`` characters side by side they share one column.
    """
    names = differing_params(runs)
    columns = [[dict(flatten(run["params"])).get(name, NONE) for run in runs] for name in names]
    texts = [[value_text(value) for value in column] for column in columns]
    reasons = [reason(run) for run in runs]
    fixed = 34 + len(metric or "") + (20 if any(reasons) else 0)
    apart = fits(names, texts, width - fixed)

    titles: list[str | tuple[str, str]] = ["run", "state"]
    titles += [(metric, "right")] if metric else []
    titles += [(name, "right") for name in names] if apart else ["params"]
    titles += [("time", "right")]
    titles += ["why"] if any(reasons) else []
    table = make_table(*titles)
    for column in table.columns:
        column.no_wrap = str(column.header) not in ("params", "why")
    for row, run in enumerate(runs):
        cells = [cell(run["id"], "bold" if row == 0 and run["score"] is not None else ""), state_cell(run["state"])]
        cells += [cell(run_score_text(run))] if metric else []
        cells += [cell(text[row]) for text in texts] if apart else [cell(params_text(_only(run, names)))]
        cells += [cell(duration(run["runtime_s"]))]
        cells += [cell(reasons[row])] if any(reasons) else []
        table.add_row(*cells)
    return table


def differing_params(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the params in which the runs differ, all of them for a single run."""
    flat = [dict(flatten(run["params"])) for run in runs]
    names = dict.fromkeys(name for params in flat for name in params)
    if len(runs) == 1:
        return list(names)
    return [name for name in names if len({repr(params.get(name)) for params in flat}) > 1]


def fits(names: Sequence[str], texts: Sequence[Sequence[str]], width: int) -> bool:
    """True if the columns, two spaces apart, are no wider than ``width``."""
    widths = [max(len(name), *map(len, column)) for name, column in zip(names, texts, strict=True)]
    return sum(widths) + 2 * len(widths) <= width and all(found <= _LONGEST_COLUMN for found in widths)


def reason(run: Mapping[str, Any]) -> str:
    """Why a run was stopped or failed, or what Besom noticed about it: one line, nothing for most runs."""
    # A run that was done before the word to stop reached it has not been stopped.
    stopped = run["stop_reason"] if run["state"] != "finished" else None
    said = stopped or run["error"] or next(iter(run["warnings"]), "")
    lines = str(said).strip().splitlines()
    return lines[-1] if lines else ""


def _only(run: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    flat = dict(flatten(run["params"]))
    return {name: flat[name] for name in names if name in flat}
