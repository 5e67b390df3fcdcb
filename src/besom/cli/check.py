"""`besom check`: what a sweep file means, or everything that is wrong with it. Needs no server."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from besom.errors import SweepConfigError, UsageError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from besom.sweep_config import SweepConfig
    from besom.sweep_config.check import Meaning, ParameterRow

# The most that a table's columns take of the terminal; longer names are folded, longer samples cut.
_NAME = 36
_KIND = 20
_CELL = 24
_LEAST_CELL = 6
# What stands between two columns.
_GAP = 3
# Parameters in a table; `--json` has them all.
_MOST_ROWS = 100


@click.command()
@click.argument("file", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the answer, or the problems, as JSON.")
@click.option("--explain", metavar="KEY", help="Say what a key, method, distribution or macro means.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of sweep files, for editors.")
def check(file: str | None, as_json: bool, explain: str | None, schema: bool) -> None:
    """Check a sweep FILE (`-`: standard input) and show what it means.

    Prints the resolved search space, the number of points, five sampled configurations, the command line of the
    first, and what the rules of early stopping do. Problems go to stderr as file:line:column: key: sentence, all at
    once; exit code 2.

    \b
    Examples:
      besom check sweep.yaml
      besom check --explain early_terminate
      besom check --schema > sweep-schema.json
    """
    from besom.cli.output import json_text, write

    if schema:
        from besom.sweep_config import json_schema

        write(json_text(json_schema()))
    elif explain is not None:
        from besom.sweep_config import explain as explanation

        write(explanation(explain))
    elif file is None:
        raise UsageError("give a sweep file to check: `besom check sweep.yaml`, or `-` for standard input")
    else:
        _check(file, as_json)


def _check(file: str, as_json: bool) -> None:
    import numpy as np

    from besom.cli.output import console, json_text, write
    from besom.sweep_config import check as work_out
    from besom.sweep_config import read_sweep_config

    name, text, form = _source(file)
    try:
        config = read_sweep_config(text, format=form, file=name)
    except SweepConfigError as error:
        if as_json:
            write(json_text({"problems": error.problems}))
        raise
    meaning = work_out(config, np.random.default_rng())
    if as_json:
        write(json_text(_answer(meaning)))
    else:
        _draw(name, config, meaning, console())
        _tell_notes(meaning)


def _source(file: str) -> tuple[str, str, Any]:
    """The name for messages, the text and its format."""
    from besom.cli.sweep_file import read_bounded, read_sweep_file

    if file != "-":
        source = read_sweep_file(file)
        return source.path, source.text, source.format
    try:
        text = read_bounded(sys.stdin.buffer, "standard input").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input is not UTF-8 text (byte {error.start})") from None
    return "<stdin>", text, "yaml"


def _answer(meaning: Meaning) -> Any:
    import msgspec

    from besom.wire.sweeps import CheckAnswer

    return msgspec.to_builtins(msgspec.convert(meaning, CheckAnswer, from_attributes=True))


def _draw(name: str, config: SweepConfig, meaning: Meaning, console: Console) -> None:
    console.print(f"{name}: {_summary(config, meaning)}", style="bold", soft_wrap=True)
    console.print()
    console.print(_space_table(meaning, console.width))
    if any(row.size != 1 for row in meaning.parameters):
        console.print()
        console.print(_samples_table(config, meaning, console.width))
    console.print()
    console.print(f"Command of {'the first run' if _is_fixed(config) else 'sample 1'}", style="bold")
    for line in _folded(meaning.command, console.width):
        console.print(line, soft_wrap=True)
    if config.program is None and "${program}" in meaning.command:
        console.print(
            "The config names no program: add `program: train.py`, or give --program. "
            "A function (besom.agent) needs none.",
            soft_wrap=True,
        )
    if meaning.stopping:
        console.print()
        console.print("Early stopping", style="bold")
        for sentence in meaning.stopping:
            console.print(sentence, soft_wrap=True)


def _is_fixed(config: SweepConfig) -> bool:
    """True if the sweep will begin with just these points."""
    return config.seed is not None or (config.method == "grid" and config.order == "sequential")


def _summary(config: SweepConfig, meaning: Meaning) -> str:
    """The sweep in a line: method, points, metric, ends."""
    method = "grid" if config.method == "grid" else f"{config.method} search"
    parts = [f"{method} {_extent(meaning.grid_size)}"]
    if meaning.metric:
        last = "the last " if meaning.metric.mode == "last" else ""
        goal = f"{meaning.metric.goal} {last}{meaning.metric.name}"
        parts.append(goal if meaning.metric.target is None else f"{goal} until {meaning.metric.target:g}")
    if config.run_cap is not None:
        parts.append(f"at most {_count(config.run_cap, 'run')}")
    if config.time_cap_s is not None:
        parts.append(f"for {_as_written(config.raw['time_cap'])}")
    if config.compute_cap_s is not None:
        parts.append(f"for {_as_written(config.raw['compute_cap'])} of run time")
    if config.plateau_runs is not None:
        parts.append(f"until {_count(config.plateau_runs, 'run')} brought nothing better")
    return ", ".join(parts)


def _as_written(time: Any) -> str:
    return time if isinstance(time, str) else f"{time} s"


def _extent(points: int | None) -> str:
    from besom.sweep_config.check import MOST_POINTS

    if points is None:
        return "without end"
    return "over more than 9e18 points" if points == MOST_POINTS else f"over {_count(points, 'point')}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _table(title: str, widths: Sequence[int], columns: Sequence[str], *, right: str = "") -> Table:
    """A table whose columns are no wider than ``widths``; longer text is folded."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1),
                  pad_edge=False, show_edge=False)  # fmt: skip
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column, overflow="fold", max_width=width, justify="right" if column == right else "left")
    return table


def _space_table(meaning: Meaning, width: int) -> Table:
    rows = [_space_row(row) for row in meaning.parameters]
    columns = ("parameter", "distribution", "bounds", "scale", "values")
    needed = [max(len(column), *(len(row[index]) for row in rows)) for index, column in enumerate(columns)]
    name, distribution = min(needed[0], _NAME), min(needed[1], _KIND)
    bounds = max(width - name - distribution - needed[3] - needed[4] - _GAP * 4, len("bounds"))
    table = _table("Search space", (name, distribution, bounds, needed[3], needed[4]), columns, right="values")
    for row in rows[:_MOST_ROWS]:
        table.add_row(*row)
    _tell_rest(table, len(rows))
    return table


def _tell_rest(table: Table, count: int) -> None:
    if count > _MOST_ROWS:
        table.caption = f"and {count - _MOST_ROWS:,} more; `--json` lists all"
        table.caption_justify = "left"


def _space_row(row: ParameterRow) -> tuple[str, str, str, str, str]:
    scale = "" if row.scale in ("constant", "categorical") else row.scale
    size = "" if row.size is None else f"{row.size:,}"
    return row.name, row.distribution, _printable(row.bounds), scale, size


def _samples_table(config: SweepConfig, meaning: Meaning, width: int) -> Table:
    """Parameters with one value are left out: the space shows them."""
    count = len(meaning.samples)
    swept = [each for each, row in zip(config.space.parameters, meaning.parameters, strict=True) if row.size != 1]
    title = f"The first {_count(count, 'run')}" if _is_fixed(config) else _count(count, "sample")
    name = min(max(len("parameter"), *(len(each.name) for each in swept)), _NAME)
    cell = min(max((width - name) // count - _GAP, _LEAST_CELL), _CELL)
    table = _table(title, (name, *[cell] * count), ("parameter", *(str(number + 1) for number in range(count))))
    for each in swept[:_MOST_ROWS]:
        table.add_row(each.name, *(_cell(_at(sample, each.path), cell) for sample in meaning.samples))
    _tell_rest(table, len(swept))
    return table


def _at(params: dict[str, Any], path: Sequence[str]) -> Any:
    value: Any = params
    for name in path:
        value = value[name]
    return value


def _cell(value: Any, width: int) -> str:
    from besom.common.json_numbers import dumps

    if isinstance(value, float):
        # A number that is broken in two reads as two numbers.
        return next((text for digits in (4, 3, 2) if len(text := f"{value:.{digits}g}") <= width), f"{value:.1g}")
    text = value if isinstance(value, str) else dumps(value)
    return _printable(text if len(text) <= width else text[: width - 1] + "…")


def _printable(text: str) -> str:
    """Without control characters, which could rule the terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _folded(argv: Sequence[str], width: int) -> Iterator[str]:
    """The command line as a shell takes it, folded between words."""
    line = ""
    for word in map(_quoted, argv):
        if line and len(line) + len(word) + 3 > width:
            yield f"{line} \\"
            line = "  "
        line += word if not line.strip() else f" {word}"
    yield line


def _quoted(word: str) -> str:
    """As `shlex.quote`, but words with single quotes in double ones, which are easier to read."""
    if "'" in word and not set(word) & set('"$`\\!'):
        return f'"{word}"'
    return shlex.quote(word)


def _tell_notes(meaning: Meaning) -> None:
    from besom.errors import problem_line

    for note in meaning.notes:
        click.echo(f"note: {problem_line(note.as_dict())}", err=True)
