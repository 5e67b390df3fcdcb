from __future__ import annotations

import csv
import io
import json
import math

import click
import pytest
import yaml
from click.testing import CliRunner

from besom.cli import output


@pytest.mark.parametrize("text", ["008", "1e-3", "1_000", "1:30", "0x1F", "yes", "on", "null", "~", "", "1.5", "é ☃"])
def test_text_stays_text_in_yaml(text):
    written = output.yaml_text({"value": text})
    assert yaml.safe_load(written) == {"value": text}


@pytest.mark.parametrize("text", ["008", "1e-3", "1_000", "1:30"])
def test_text_that_some_yaml_reader_takes_for_a_number_is_quoted(text):
    assert output.yaml_text({"value": text}) == f"value: '{text}'\n"


def test_yaml_keeps_the_order_of_names():
    assert output.yaml_text({"b": 1, "a": 0.001}) == "b: 1\na: 0.001\n"


def test_json_is_strict_with_words_for_what_is_not_finite():
    text = output.json_text({"a": math.nan, "b": [math.inf, -math.inf], "c": "é"})
    assert json.loads(text, parse_constant=pytest.fail) == {"a": "NaN", "b": ["Infinity", "-Infinity"], "c": "é"}
    assert "é" in text


def test_csv_says_nan_inf_and_minus_inf():
    rows = [{"a": "NaN", "b": "Infinity"}, {"a": "-Infinity", "b": math.nan}]
    assert output.csv_text(rows, ["a", "b"]) == "a,b\nnan,inf\n-inf,nan\n"


def test_csv_survives_commas_quotes_line_breaks_and_unicode():
    row = {"name": 'a,"b"\nc ☃', "list": [1, "x"], "none": None, "flag": True}
    read = next(csv.DictReader(io.StringIO(output.csv_text([row], list(row)))))
    assert read == {"name": 'a,"b"\nc ☃', "list": '[1, "x"]', "none": "", "flag": "True"}


def test_missing_values_are_empty_cells():
    assert output.csv_text([{"a": 1}, {"b": 2}], ["a", "b"]) == "a,b\n1,\n,2\n"


@pytest.mark.parametrize(("args", "chosen"), [([], "table"), (["--json"], "json"), (["--format", "csv"], "csv")])
def test_json_is_short_for_format_json(args, chosen):
    @click.command()
    @output.format_options("table", "json", "csv")
    def command(form: str) -> None:
        click.echo(form)

    assert CliRunner().invoke(command, args).output == f"{chosen}\n"


def test_brackets_in_a_name_are_no_markup(capsys):
    table = output.make_table("[red]title")
    table.add_row(output.cell("[bold]name[/bold]"))
    output.console().print(table)
    assert capsys.readouterr().out.split() == ["[red]title", "[bold]name[/bold]"]


def test_nothing_is_cut_where_no_terminal_is(capsys):
    table = output.make_table("name")
    table.add_row(output.cell("x" * 500))
    output.console().print(table)
    assert "x" * 500 in capsys.readouterr().out
