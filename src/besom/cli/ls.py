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
    from besom.cli.output import cell, make_table, print_table, state_cell
    from besom.cli.words import ago, progress_text, score_text

    if not sweeps:
        out.print("no sweeps yet: `besom run sweep.yaml` makes one and runs it")
        return
    now = time.time()
    table = make_table("sweep", "project", "name", "state", "runs", ("best", "right"), "metric", "created")
    for sweep in sweeps:
        name = "" if sweep["name"] == sweep["id"] else sweep["name"]
        table.add_row(
            cell(sweep["id"], "bold"),
            cell(sweep["project"]),
            cell(name),
            state_cell(sweep["state"]),
            cell(progress_text(sweep).removesuffix("s").removesuffix(" run")),
            cell(score_text(sweep["best_score"])),
            cell((sweep["metric"] or {}).get("name", "")),
            cell(ago(sweep["created"], now)),
        )
    print_table(out, table)
