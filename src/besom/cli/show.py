"""`besom show`: one sweep with its runs, or one run."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from besom.cli.output import format_options

if TYPE_CHECKING:
    from rich.console import Console

    from besom.client.connection import Connection

_LOG_LINES = 10
# Who suggested the params (`source` of the run's `search_info`).
_SOURCES = {
    "initial": "These params were suggested as one of the sweep's first points, which spread over the space",
    "model": "These params were suggested by the model of the sweep's results",
    "parzen": "These params were suggested by comparing the densities of good and bad runs (Parzen estimator)",
    "random": "These params were suggested by chance",
}


@click.command()
@click.argument("sweep_or_run", metavar="SWEEP|RUN")
@click.option("-n", "--limit", type=click.IntRange(min=1), default=20, show_default=True,
              help="Most runs in the table of a sweep; the other formats hold all.")  # fmt: skip
@format_options("table", "json", "csv", "yaml")
def show(sweep_or_run: str, limit: int, form: str) -> None:
    """Show a sweep with its runs, best first, or one run with everything known of it.

    \b
    Example:
      besom show k3v9x2ab
      besom show fashion-mnist/k3v9x2ab --json
    """
    from besom.cli.lookup import connect, find_either

    connection = connect()
    found = find_either(connection, sweep_or_run)
    if found.kind == "sweep":
        _show_sweep(connection, found.answer, limit, form)
    else:
        _show_run(connection, found.answer, form)


def _show_sweep(connection: Connection, sweep: dict[str, Any], limit: int, form: str) -> None:
    from besom.cli.lookup import best_run, runs_of
    from besom.cli.output import console

    best = best_run(connection, sweep)
    if form == "table":
        draw_sweep(console(), sweep, best, list(runs_of(connection, sweep["id"], most=limit)))
    else:
        _write_sweep(form, {**sweep, "best": best}, runs_of(connection, sweep["id"]))


def _write_sweep(form: str, facts: dict[str, Any], runs: Iterable[dict[str, Any]]) -> None:
    """The sweep with all its runs, for programs; written as it is read."""
    from besom.cli.export import RUN_COLUMNS, flat_run
    from besom.cli.output import yaml_text
    from besom.cli.streaming import csv_pieces, json_item, with_list, write_pieces

    if form == "json":
        write_pieces(itertools.chain(with_list(facts, "run_list", map(json_item, runs)), ["\n"]))
    elif form == "csv":
        write_pieces(csv_pieces(map(flat_run, runs), RUN_COLUMNS))
    else:
        first = list(itertools.islice(runs, 1))
        write_pieces([yaml_text({**facts, "run_list": first})])
        write_pieces(yaml_text([run]) for run in runs)


def draw_sweep(
    out: Console, sweep: Mapping[str, Any], best: Mapping[str, Any] | None, runs: Sequence[Mapping[str, Any]]
) -> None:
    """The sweep's facts, then the table of its runs."""
    from besom.cli.output import cell
    from besom.cli.runs_table import print_runs
    from besom.cli.words import count_text, sweep_path

    title = sweep_path(sweep)
    out.print(cell(title if sweep["name"] in ("", sweep["id"]) else f"{title}  {sweep['name']}", "bold"))
    _print_facts(out, sweep_facts(sweep, best, time.time()))
    if not runs:
        return
    out.print()
    metric = (sweep["metric"] or {}).get("name")
    left_out = sum(sweep["runs"].values()) - len(runs)
    more = f"… and {count_text(left_out, 'more run')}: -n {len(runs) + left_out}, or besom export {sweep['id']}"
    print_runs(out, runs, metric, now=time.time(), rest=more if left_out > 0 else "")


def sweep_facts(sweep: Mapping[str, Any], best: Mapping[str, Any] | None, now: float) -> list[tuple[str, str]]:
    """What `besom show` says of a sweep, line by line."""
    from besom.cli.words import ago, params_text, progress_text, states_text, sweep_path, value_text
    from besom.common.wording import score_text

    metric = sweep["metric"]
    state = sweep["state"] + (f": {sweep['ended_reason']}" if sweep["ended_reason"] else "")
    by_state = states_text(sweep["runs"])
    facts = [("state", state), ("method", sweep["method"])]
    if metric:
        way = "smaller is better" if metric["goal"] == "minimize" else "larger is better"
        target = "" if metric["target"] is None else f", target {value_text(metric['target'])}"
        last = ", the last value counts" if metric["mode"] == "last" else ""
        facts.append(("metric", f"{metric['name']}, {way}{target}{last}"))
    facts.append(("runs", progress_text(sweep) + (f": {by_state}" if by_state else "")))
    if best is not None:
        facts.append(("best", f"{score_text(best['score'])} with {params_text(best['params'])} (run {best['id']})"))
    if sweep["model_best"]:
        facts.append(("", f"run {sweep['model_best']} by the model, which allows for noise"))
    if sweep["description"]:
        facts.append(("about", sweep["description"]))
    if sweep["agents"] or sweep["state"] in ("pending", "running"):
        hint = "" if sweep["agents"] else f": besom agent {sweep_path(sweep)} adds one"
        facts.append(("agents", f"{sweep['agents']}{hint}"))
    facts.append(("created", ago(sweep["created"], now)))
    facts += [("note", note) for note in sweep["notes"]]
    return [*facts, ("page", sweep["url"])]


def _show_run(connection: Connection, run: dict[str, Any], form: str) -> None:
    from besom.cli.export import flat_run
    from besom.cli.logs import last_lines
    from besom.cli.output import present

    log = last_lines(connection, run, _LOG_LINES) if form == "table" else []
    present(
        form,
        data=run,
        rows=lambda: [flat_run(run)],
        draw=lambda out: draw_run(out, run, log),
    )


def draw_run(out: Console, run: Mapping[str, Any], log: Sequence[str]) -> None:
    """Everything known of a run that fits a screen."""
    from rich.text import Text

    from besom.cli.output import cell

    title = f"{run['entity']}/{run['project']}/{run['id']}"
    out.print(cell(title if run["name"] in ("", run["id"]) else f"{title}  {run['name']}", "bold"))
    _print_facts(out, run_facts(run, time.time()))
    if run.get("search_info"):
        out.print(cell(f"\n{reasons(run['search_info'], run['sweep'])}"), soft_wrap=False)
    _print_values(out, "params", run["params"])
    _print_values(out, "config", {key: value for key, value in run["config"].items() if key not in run["params"]})
    _print_values(out, "summary", run["summary"])
    _print_attempts(out, run["attempts"] or [])
    if log:
        out.print(cell(f"\nlast lines of the log (besom logs {run['id']}):", "bold"))
        for line in log:
            out.print(Text.assemble("  ", Text.from_ansi(line)), soft_wrap=True)


def run_facts(run: Mapping[str, Any], now: float) -> list[tuple[str, str]]:
    """What `besom show` says of a run, line by line."""
    from besom.cli.words import ago, run_score_text, runtime_text

    late = "done before it was stopped: " if run["state"] == "finished" else ""
    facts = [("state", run["state"] + (f": {late}{run['stop_reason']}" if run["stop_reason"] else ""))]
    if run["error"]:
        facts.append(("error", str(run["error"]).strip()))
    facts += [("warning", warning) for warning in run["warnings"]]
    if run["score"] is not None:
        facts.append(("score", run_score_text(run)))
    for key in ("sweep", "group", "job_type", "notes", "host"):
        if run[key]:
            facts.append((key.replace("_", " "), str(run[key])))
    if run["tags"]:
        facts.append(("tags", ", ".join(run["tags"])))
    facts.append(("started", ago(run["started"], now)))
    facts.append(("time", runtime_text(run, now)))
    return [*facts, ("page", run["url"])]


def reasons(info: Mapping[str, Any], sweep: str) -> str:
    """Why a model has chosen a run's params, as a paragraph."""
    from besom.cli.words import count_text
    from besom.common.wording import score_text

    seen = sum(last - first + 1 for first, last in info["seen"]) + info["others_seen"]
    sentences = [f"{_SOURCES.get(info['source'], info['source'])}, knowing of {count_text(seen, 'run')}."]
    if (value := info["predicted_value"]) is not None:
        spread = info["predicted_value_std_dev"]
        around = "" if spread is None else f" ± {score_text(spread)}"
        sentences.append(f"It expected {score_text(value)}{around} here.")
    if (gain := info["expected_improvement"]) is not None:
        sentences.append(f"The expected improvement over the best was {score_text(gain)}.")
    if (chance := info["success_probability"]) is not None:
        sentences.append(f"The run should end well with a probability of {chance:.0%}.")
    if info["best"] is not None:
        sentences.append(f"Allowing for noise it took run {info['best']} for the best of sweep {sweep}.")
    return " ".join([*sentences, *(f"Warning: {warning}." for warning in info["warnings"])])


def _print_facts(out: Console, facts: Sequence[tuple[str, str]]) -> None:
    from besom.cli.output import cell, make_table, print_table

    table = make_table("", "")
    table.show_header = False
    table.columns[0].no_wrap = True
    for title, text in facts:
        table.add_row(cell(title, "dim"), cell(text))
    print_table(out, table)


def _print_values(out: Console, title: str, values: Mapping[str, Any]) -> None:
    from besom.cli.output import cell, make_table, print_table
    from besom.command import flatten

    if not values:
        return
    out.print(cell(f"\n{title}", "bold"))
    table = make_table("", "")
    table.show_header = False
    for name, value in flatten(values):
        table.add_row(cell(f"  {name}"), cell(str(value)))
    print_table(out, table)


def _print_attempts(out: Console, attempts: Sequence[Mapping[str, Any]]) -> None:
    from besom.cli.output import cell, make_table, print_table, state_cell
    from besom.common.wording import error_line

    if len(attempts) < 2:
        return
    out.print(cell("\nattempts", "bold"))
    table = make_table("  number", "state", "host", "exit", "error")
    for attempt in attempts:
        code = attempt["exit_code"] if attempt["signal"] is None else f"signal {attempt['signal']}"
        table.add_row(
            cell(f"  {attempt['number']}"),
            state_cell(attempt["state"]),
            cell(attempt["host"] or ""),
            cell("" if code is None else str(code)),
            cell(error_line(attempt["error"])),
        )
    print_table(out, table)
