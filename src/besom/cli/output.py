"""Results on stdout: tables for people, JSON, YAML and CSV for programs."""

from __future__ import annotations

import csv
import functools
import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from besom.common.json_numbers import NON_FINITE, to_words

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

P = ParamSpec("P")
R = TypeVar("R")

# Output that is no terminal is read by programs: nothing is cut off there.
WIDE = 10_000
STATE_STYLES = {
    "running": "cyan", "finished": "green", "stopped": "yellow", "paused": "yellow", "killed": "yellow",
    "canceled": "yellow", "preempted": "yellow", "failed": "red", "crashed": "red",
}  # fmt: skip


def format_options(*formats: str, default: str = "table") -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Adds ``--format`` and ``--json`` to a command, which gets the chosen word as ``form``."""

    def decorate(command: Callable[..., R]) -> Callable[..., R]:
        @click.option("--format", "form", type=click.Choice(formats), default=default, show_default=True,
                      help="How to print the answer.")  # fmt: skip
        @click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
        @functools.wraps(command)
        def with_format(*args: Any, form: str, as_json: bool, **options: Any) -> R:
            return command(*args, form="json" if as_json else form, **options)

        return with_format

    return decorate


def json_text(data: Any) -> str:
    """Strict, indented JSON; non-finite numbers are words."""
    return json.dumps(to_words(data), ensure_ascii=False, allow_nan=False, indent=2)


def yaml_text(data: Any) -> str:
    """YAML that reads back as the same values, in every YAML reader."""
    import yaml

    # In C where PyYAML was built so: ten times as fast.
    base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

    class Dumper(base):  # type: ignore[misc]
        pass

    def write_text(dumper: Any, text: str) -> yaml.ScalarNode:
        style = "'" if _looks_like_a_number(text) else None
        node: yaml.ScalarNode = dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)
        return node

    Dumper.add_representer(str, write_text)
    return str(yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False))


def _looks_like_a_number(text: str) -> bool:
    # Readers differ over "008", "1e-3", "1_000" and "1:30"; quoted they are text for all of them.
    return (
        bool(text) and all(character in "0123456789+-.:_eExXoO" for character in text) and any(map(str.isdigit, text))
    )


def csv_text(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """CSV with a header; lists and dicts as JSON, non-finite numbers as ``nan, inf, -inf``, None as nothing."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([csv_cell(row.get(column)) for column in columns])
    return text.getvalue()


def csv_cell(value: Any) -> Any:
    """One value as it stands in a CSV cell."""
    if isinstance(value, str) and value in NON_FINITE:
        return str(NON_FINITE[value])
    if isinstance(value, (dict, list)):
        return json.dumps(to_words(value), ensure_ascii=False)
    return "" if value is None else value


def write(text: str) -> None:
    """The text on stdout, with a line break at its end."""
    click.echo(text, nl=not text.endswith("\n"))


def present(
    form: str,
    *,
    data: Any,
    rows: Callable[[], Iterable[Mapping[str, Any]]],
    draw: Callable[[Console], None],
) -> None:
    """Prints one answer in the chosen form: ``data`` for JSON and YAML, ``rows`` for CSV, ``draw`` for people."""
    if form == "json":
        write(json_text(data))
    elif form == "yaml":
        write(yaml_text(data))
    elif form == "csv":
        flat = list(rows())
        write(csv_text(flat, list(dict.fromkeys(column for row in flat for column in row))))
    else:
        draw(console())


def console(*, stderr: bool = False) -> Console:
    """A rich console on stdout or stderr; as wide as it likes where no terminal cuts it."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else WIDE
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def make_table(*columns: str | tuple[str, str]) -> Table:
    """A table without lines; a column is a title, or a title and "right"."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        title, justify = (column, "left") if isinstance(column, str) else column
        table.add_column(Text(title), justify="right" if justify == "right" else "left")
    return table


def text_width(text: str) -> int:
    """How many columns of a terminal the text takes."""
    from rich.cells import cell_len

    return cell_len(text)


def print_table(out: Console, table: Table) -> None:
    """The table without the blanks that would fill its last column."""
    with out.capture() as captured:
        out.print(table)
    out.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def state_cell(state: str) -> RenderableType:
    """A state in its color."""
    from rich.text import Text

    return Text(state, style=STATE_STYLES.get(state, ""))


def cell(text: str, style: str = "") -> RenderableType:
    """Text as it is: brackets in a name are no markup, and control characters do not reach the terminal."""
    from rich.text import Text

    return Text("".join(letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in text), style)
