"""`besom ls`: the sweeps on the server."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from besom.cli.output import format_options

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.option("-p", "--project", help="Only sweeps of this project.")
@click.option("-e", "--entity", help="Only sweeps of this entity.")
@format_options("table", "json", "csv", "yaml")
def ls(project: str | None, entity: str | None, form: str) -> None:
    """List sweeps, the newest first.

    \b
    Example:
      besom ls -p fashion-mnist
    """
    from besom.cli.lookup import connect
    from besom.cli.output import present

    query = {"entity": entity, "project": project}
    sweeps: list[dict[str, Any]] = connect().call("GET", "/api/v1/sweeps", query=query)["sweeps"]
    sweeps.sort(key=lambda sweep: sweep["created"], reverse=True)
    present(form, data=sweeps, rows=lambda: [_row(sweep) for sweep in sweeps], draw=lambda out: _draw(out, sweeps))


def _row(sweep: dict[str, Any]) -> dict[str, Any]:
    metric = sweep["metric"] or {}
    row = {key: sweep[key] for key in ("id", "entity", "project", "name", "state", "ended_reason", "method")}
    row |= {"metric": metric.get("name"), "goal": metric.get("goal")}
    row |= {f"runs_{state}": count for state, count in sweep["runs"].items()}
    return row | {key: sweep[key] for key in ("best_score", "best_run", "created", "ended", "url")}


def _draw(out: Console, sweeps: Sequence[dict[str, Any]]) -> None:
    from besom.cli.output import cell, make_table, print_table, state_cell, text_width

    if not sweeps:
        out.print("no sweeps yet: `besom run sweep.yaml` makes one and runs it")
        return
    columns = _columns(sweeps, time.time())
    for title in ("name", "metric", "created", "project"):
        # What is least missed goes first when the terminal is narrow.
        if sum(max(map(text_width, (title, *texts))) + 2 for title, texts in columns.items()) - 2 <= out.width:
            break
        columns.pop(title, None)
    table = make_table(*((title, "right" if title == "best" else "left") for title in columns))
    for row, sweep in enumerate(sweeps):
        cells = {title: cell(texts[row], "bold" if title == "sweep" else "") for title, texts in columns.items()}
        table.add_row(*{**cells, "state": state_cell(sweep["state"])}.values())
    print_table(out, table)


def _columns(sweeps: Sequence[dict[str, Any]], now: float) -> dict[str, list[str]]:
    from besom.cli.words import ago, progress_text
    from besom.common.wording import score_text

    names = ["" if sweep["name"] == sweep["id"] else sweep["name"] for sweep in sweeps]
    columns = {
        "sweep": [sweep["id"] for sweep in sweeps],
        "project": [sweep["project"] for sweep in sweeps],
        "name": names,
        "state": [sweep["state"] for sweep in sweeps],
        "runs": [progress_text(sweep) for sweep in sweeps],
        "best": [score_text(sweep["best_score"]) for sweep in sweeps],
        "metric": [(sweep["metric"] or {}).get("name", "") for sweep in sweeps],
        "created": [ago(sweep["created"], now) for sweep in sweeps],
    }
    return {title: texts for title, texts in columns.items() if title != "name" or any(names)}
