"""`besom replay`: what a rule of early stopping would have done to a sweep that is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from besom.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from besom.client.connection import Connection
    from besom.engine.replaying import History, Outcome, Sum
    from besom.metric import Metric
    from besom.stopping import Stopper


@click.command()
@click.argument("sweep")
@click.option("--rule", "file", metavar="FILE", help="The rule, or rules, to try: a file with a mapping such as "
              "`type: asha`, a list of such, or a whole sweep file. Without it: the sweep's own.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def replay(sweep: str, file: str | None, as_json: bool) -> None:
    """Say what a rule of early stopping would have done to the runs of SWEEP.

    The runs are gone through again, row by row in the order in which they were logged, and judged by the code that
    judges living runs. It says which runs would have been stopped, where and why, how many logged values and how much
    run time that saves, and whether the best run would have been among them. Nothing is changed.

    A sweep without `early_terminate` tells most: all of its runs went on to their end. Where runs were stopped, or
    where a rule would have freed agents earlier, the sweep itself would have gone on differently: that is not replayed.

    \b
    Example:
      besom replay k3v9x2ab
      echo '{type: asha, min_iter: 3}' > asha.yaml; besom replay k3v9x2ab --rule asha.yaml
    """
    from besom.cli.lookup import connect, find_sweep
    from besom.cli.output import console, json_text, write
    from besom.engine.replaying import replay as play
    from besom.engine.replaying import sum_of
    from besom.stopping import make_stoppers

    connection = connect()
    found = find_sweep(connection, sweep)
    metric = _metric(found)
    stoppers = make_stoppers(_rules(found, file, metric), metric)
    outcomes = play(stoppers, metric, list(_histories(connection, found, metric, stoppers)))
    total = sum_of(outcomes, metric)
    if found["state"] not in ("finished", "canceled"):
        click.echo(f"besom: sweep {found['id']} is {found['state']}: this is what it has come to so far", err=True)
    if as_json:
        write(json_text(report(found["id"], metric, stoppers, outcomes, total)))
    else:
        draw(console(), metric, stoppers, outcomes, total)


def _metric(sweep: Mapping[str, Any]) -> Metric:
    from besom.metric import Metric

    if sweep["metric"] is None:
        raise UsageError(f"sweep {sweep['id']} has no metric, and it is by its values that rules judge")
    return Metric(sweep["metric"]["name"], goal=sweep["metric"]["goal"], mode=sweep["metric"]["mode"])


def _rules(sweep: Mapping[str, Any], file: str | None, metric: Metric) -> Sequence[Mapping[str, Any]]:
    """The rules of the file, else the sweep's own."""
    from besom.cli.sweep_file import read_sweep_file
    from besom.sweep_config import read_early_terminate

    if file is not None:
        source = read_sweep_file(file)
        return read_early_terminate(source.text, metric=metric, format=source.format, file=source.path)
    own = sweep["config"].get("early_terminate")
    if not own:
        raise UsageError(
            f"sweep {sweep['id']} has no `early_terminate`: give a rule with --rule FILE, such as a file with "
            "{type: asha, min_iter: 3}"
        )
    return read_early_terminate(own, metric=metric)


def _histories(
    connection: Connection, sweep: Mapping[str, Any], metric: Metric, stoppers: Sequence[Stopper]
) -> Iterator[History]:
    from besom.cli.lookup import history_of, runs_of
    from besom.cli.words import seconds
    from besom.engine.replaying import History, Row
    from besom.engine.states import COUNTED

    keys = {metric.name, *(stopper.ladder.resource for stopper in stoppers if stopper.ladder.resource is not None)}
    for run in runs_of(connection, sweep["id"], order="created"):
        rows = [Row(row["_timestamp"], row["_step"], row) for row in history_of(connection, run["uid"], keys)]
        started, ended = (None if run[name] is None else seconds(run[name]) for name in ("started", "ended"))
        yield History(run["id"], rows, started, ended, run["state"] in COUNTED)


def report(
    sweep_id: str, metric: Metric, stoppers: Sequence[Stopper], outcomes: Sequence[Outcome], total: Sum
) -> dict[str, Any]:
    """Everything as JSON: counts are rows with the metric, times are in seconds."""
    best, left = total.best, total.best_kept
    return {
        "sweep": sweep_id,
        "metric": metric.name,
        "rules": [stopper.explain() for stopper in stoppers],
        "runs": len(outcomes),
        "stopped": [_stopped(each) for each in outcomes if each.reason is not None],
        "values": total.logged,
        "saved_values": total.logged - total.kept,
        "run_time_s": total.trained_s,
        "saved_s": total.trained_s - total.kept_s,
        "best": None if best is None else {"id": best.run, "score": best.score, "stopped": best.reason is not None},
        "best_left": None if left is None else {"id": left.run, "score": left.kept_score},
    }


def _stopped(each: Outcome) -> dict[str, Any]:
    return {
        "id": each.run,
        "reason": each.reason,
        "rung": each.rung,
        "step": each.step,
        "values": each.kept,
        "of_values": each.logged,
        "run_time_s": each.kept_s,
        "of_run_time_s": each.trained_s,
        "score": each.kept_score,
        "final_score": each.score,
    }


def draw(out: Console, metric: Metric, stoppers: Sequence[Stopper], outcomes: Sequence[Outcome], total: Sum) -> None:
    """The same for people: the rules, what they save, what became of the best run, and who was stopped."""
    from besom.cli.output import cell, make_table, print_table
    from besom.common.wording import score_text

    for line in (*(stopper.explain() for stopper in stoppers), "", *summary(metric, outcomes, total)):
        out.print(cell(line), soft_wrap=True)
    stopped = [each for each in outcomes if each.reason is not None]
    if not stopped:
        return
    out.print()
    table = make_table("run", ("values", "right"), ("score", "right"), ("at its end", "right"), "why")
    for each in stopped:
        values = f"{each.kept} of {each.logged}"
        scores = [score_text(score) for score in (each.kept_score, each.score)]
        table.add_row(*(cell(text) for text in (each.run, values, *scores, each.reason or "")))
    print_table(out, table)


def summary(metric: Metric, outcomes: Sequence[Outcome], total: Sum) -> Iterator[str]:
    """What would have become of the sweep, in a few lines."""
    from besom.cli.words import count_text
    from besom.common.wording import duration, score_text

    stopped = sum(each.reason is not None for each in outcomes)
    yield f"{stopped} of {count_text(len(outcomes), 'run')} would have been stopped"
    saved, saved_s = total.logged - total.kept, total.trained_s - total.kept_s
    yield f"saved: {saved:,} of {total.logged:,} values of {metric.name}{_share(saved, total.logged)}"
    yield f"saved: {duration(saved_s)} of {duration(total.trained_s)} of run time{_share(saved_s, total.trained_s)}"
    best, left = total.best, total.best_kept
    if best is None:
        yield "best: no run has ended with a value"
    elif best.reason is None:
        yield f"best: run {best.run} with {score_text(best.score)} would have gone on to its end"
    else:
        yield f"best: run {best.run} with {score_text(best.score)} would have been stopped: {best.reason}"
        if left is not None:
            yield f"best left: run {left.run} with {score_text(left.kept_score)}"


def _share(part: float, whole: float) -> str:
    return f", {100 * part / whole:.0f} %" if whole else ""
