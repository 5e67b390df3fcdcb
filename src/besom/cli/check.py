"""`besom check`: what a sweep file means, or everything that is wrong with it. Needs no server."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from besom.errors import SweepConfigError, UsageError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from besom.sweep_config import SweepConfig
    from besom.sweep_config.check import Meaning

# How much of a value a column of samples shows.
_CELL = 24


@click.command()
@click.argument("file", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the answer, or the problems, as JSON.")
@click.option("--explain", metavar="KEY", help="Say what a key, method, distribution or macro means.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of sweep files, for editors.")
def check(file: str | None, as_json: bool, explain: str | None, schema: bool) -> None:
    """Check a sweep FILE (`-`: standard input) and show what it means.

    Prints the resolved search space, the number of points, five sampled configurations, the command line of the
    first and the rungs. Problems go to stderr as file:line:column: key: sentence, all at once; exit code 2.

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
    from besom.cli.sweep_file import read_sweep_file

    if file != "-":
        source = read_sweep_file(file)
        return source.path, source.text, source.format
    try:
        text = click.get_binary_stream("stdin").read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input is not UTF-8 text (byte {error.start})") from None
    return "<stdin>", text, "yaml"


def _answer(meaning: Meaning) -> Any:
    import msgspec

    from besom.wire.sweeps import CheckAnswer

    return msgspec.to_builtins(msgspec.convert(meaning, CheckAnswer, from_attributes=True))


def _draw(name: str, config: SweepConfig, meaning: Meaning, console: Console) -> None:
    from besom.sweep_config.check import RUNGS

    console.print(f"{name}: {_summary(config, meaning)}", style="bold", soft_wrap=True)
    console.print()
    console.print(_space_table(meaning))
    if any(parameter.scale != "constant" for parameter in meaning.parameters):
        console.print()
        console.print(_samples_table(config, meaning))
    console.print()
    console.print(f"Command of {'the first run' if _is_fixed(config) else 'sample 1'}", style="bold")
    for line in _folded(meaning.command, console.width):
        console.print(line, soft_wrap=True)
    if meaning.rungs and meaning.metric:
        console.print()
        console.print("Rungs", style="bold")
        more = ", …" if len(meaning.rungs) == RUNGS else ""
        console.print(
            f"{', '.join(map(str, meaning.rungs))}{more} logged values of {meaning.metric.name}", soft_wrap=True
        )


def _is_fixed(config: SweepConfig) -> bool:
    """True if the sweep will begin with just these points."""
    return config.seed is not None or (config.method == "grid" and config.order == "sequential")


def _summary(config: SweepConfig, meaning: Meaning) -> str:
    """The sweep in a line: method, points, metric, ends."""
    method = "grid" if config.method == "grid" else f"{config.method} search"
    size = "without end" if meaning.grid_size is None else f"over {_count(meaning.grid_size, 'point')}"
    parts = [f"{method} {size}"]
    if meaning.metric:
        goal = f"{meaning.metric.goal} {meaning.metric.name}"
        parts.append(goal if meaning.metric.target is None else f"{goal} until {meaning.metric.target:g}")
    if config.run_cap is not None:
        parts.append(f"at most {_count(config.run_cap, 'run')}")
    if config.time_cap_s is not None:
        written = config.raw["time_cap"]
        parts.append(f"for {written if isinstance(written, str) else f'{written} s'}")
    return ", ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _table(title: str) -> Table:
    from rich import box
    from rich.table import Table

    return Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1),
                 pad_edge=False, show_edge=False)  # fmt: skip


def _space_table(meaning: Meaning) -> Table:
    table = _table("Search space")
    table.add_column("parameter", overflow="fold")
    table.add_column("distribution", overflow="fold")
    table.add_column("bounds", overflow="fold")
    table.add_column("scale", no_wrap=True)
    table.add_column("values", justify="right", no_wrap=True)
    for row in meaning.parameters:
        scale = "" if row.scale in ("constant", "categorical") else row.scale
        size = "" if row.size is None else f"{row.size:,}"
        table.add_row(row.name, row.distribution, _printable(row.bounds), scale, size)
    return table


def _samples_table(config: SweepConfig, meaning: Meaning) -> Table:
    """Fixed parameters are left out: the space shows them."""
    count = len(meaning.samples)
    table = _table(
        f"The first {count} runs" if config.seed is not None or config.method == "grid" else f"{count} samples"
    )
    table.add_column("parameter", overflow="fold")
    for number in range(count):
        table.add_column(str(number + 1), overflow="ellipsis", no_wrap=True)
    for parameter in config.space.parameters:
        if not parameter.is_constant:
            cells = (_cell(_at(sample, parameter.path)) for sample in meaning.samples)
            table.add_row(parameter.name, *cells)
    return table


def _at(params: dict[str, Any], path: Sequence[str]) -> Any:
    value: Any = params
    for name in path:
        value = value[name]
    return value


def _cell(value: Any) -> str:
    from besom.common.json_numbers import dumps

    if isinstance(value, float):
        return f"{value:.5g}"
    text = value if isinstance(value, str) else dumps(value)
    return _printable(text if len(text) <= _CELL else text[: _CELL - 1] + "…")


def _printable(text: str) -> str:
    """Without control characters, which could rule the terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _folded(argv: Sequence[str], width: int) -> Iterator[str]:
    """The command line as a shell takes it, folded between words."""
    line = ""
    for word in map(shlex.quote, argv):
        if line and len(line) + len(word) + 3 > width:
            yield f"{line} \\"
            line = "  "
        line += word if not line.strip() else f" {word}"
    yield line


def _tell_notes(meaning: Meaning) -> None:
    from besom.errors import problem_line

    for note in meaning.notes:
        click.echo(f"note: {problem_line(note.as_dict())}", err=True)
