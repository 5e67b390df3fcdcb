from __future__ import annotations

import sys

import click
import pytest

from besom import errors
from besom.cli.errors import explained


def _raise(error: BaseException):
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.NotFound("there is no sweep x"), 1),
        (errors.UsageError("that cannot be"), 2),
        (errors.ServerUnreachable("no server"), 1),
        (errors.Refused("it is canceled"), 1),
    ],
)
def test_our_errors_are_one_sentence_and_their_exit_code(error, code, capsys):
    assert explained(_raise(error)) == code
    assert capsys.readouterr().err == f"besom: {error}\n"


def test_problems_of_a_sweep_file_come_all_at_once(capsys):
    problems = [
        {"file": "s.yaml", "line": 1, "column": 1, "key": "metod", "sentence": "unknown key"},
        {"file": "s.yaml", "line": 4, "column": 3, "key": "lr", "sentence": "no values"},
    ]
    assert explained(_raise(errors.SweepConfigError(problems))) == 2
    assert capsys.readouterr().err.splitlines() == [
        "besom: Error in configuration file: 2 problems",
        "s.yaml:1:1: metod: unknown key",
        "s.yaml:4:3: lr: no values",
    ]


def test_ctrl_c_is_no_traceback(capsys):
    assert explained(_raise(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "besom: interrupted\n"


def test_a_mistake_of_our_own_is_one_line_and_a_file(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("BESOM_DIR", str(tmp_path))
    monkeypatch.delenv("BESOM_DEBUG", raising=False)
    assert explained(_raise(ZeroDivisionError("two\nlines"))) == 70
    said = capsys.readouterr().err
    file = tmp_path / "state" / "crash.log"
    assert said.count("\n") == 1
    assert "ZeroDivisionError: two lines" in said
    assert str(file) in said
    assert "Traceback" in file.read_text()


def test_debug_shows_the_traceback(capsys, monkeypatch):
    monkeypatch.setenv("BESOM_DEBUG", "1")
    assert explained(_raise(ZeroDivisionError("x"))) == 70
    assert "Traceback" in capsys.readouterr().err


def test_a_commands_own_exit_code_is_kept():
    assert explained(_raise(click.exceptions.Exit(7))) == 7
    assert explained(lambda: 3) == 3
    assert explained(lambda: None) == 0


def test_a_usage_error_names_the_help(capsys):
    context = click.Context(click.Command("sweep"), info_name="besom sweep")
    assert explained(_raise(click.UsageError("No such option '--x'.", context))) == 2
    assert capsys.readouterr().err == "besom: no such option '--x'\n       see `besom sweep --help`\n"


def test_a_reader_that_has_gone_is_no_error(capfd):
    def command() -> None:
        raise BrokenPipeError

    assert explained(command) == 141
    assert capfd.readouterr().err == ""


def test_a_terminal_without_the_character_shows_a_question_mark(monkeypatch, tmp_path):
    file = (tmp_path / "out").open("w", encoding="ascii")
    monkeypatch.setattr(sys, "stdout", file)
    assert explained(lambda: sys.stdout.write("snow ☃\n")) >= 0
    file.close()
    assert (tmp_path / "out").read_text() == "snow ?\n"
