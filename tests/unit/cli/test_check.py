from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from besom.cli.check import _cell
from besom.cli.main import main
from besom.sweep_config import json_schema
from besom.wire.sweeps import CheckAnswer

GOOD = """\
method: grid
program: train.py
metric: {name: val/loss, goal: minimize}
early_terminate: {type: hyperband, min_iter: 3}
parameters:
  lr: {values: [0.001, 0.01]}
  batch_size: {values: [32, 64, 128]}
  note: {value: "it's"}
  epochs: 5
"""


@pytest.fixture
def sweep_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def write(content: str | bytes, name: str = "sweep.yaml") -> str:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return write


def besom_check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["check", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_a_good_file_shows_space_points_samples_command_and_rungs(sweep_file: Any, capsys: Any) -> None:
    code, out, err = besom_check(capsys, sweep_file(GOOD))
    assert code == 0
    assert out.startswith("sweep.yaml: grid over 6 points, minimize val/loss\n")
    assert [line.split() for line in out.splitlines() if line.startswith(("batch_size", "lr"))] == [
        ["batch_size", "categorical", "32,", "64,", "128", "3"],
        ["lr", "categorical", "0.001,", "0.01", "2"],
        ["batch_size", "32", "32", "64", "64", "128"],
        ["lr", "0.001", "0.01", "0.001", "0.01", "0.001"],
    ]
    assert '/usr/bin/env python train.py --batch_size=32 --epochs=5 --lr=0.001 "--note=it\'s"\n' in out
    assert "Early stopping\nhyperband: the best third goes on at 3, 9, 27, 81, … values of val/loss\n" in out
    assert err == "note: sweep.yaml:9:11: parameters.epochs: read as `epochs: {value: 5}`\n"


def test_problems_stand_on_stderr_all_at_once_with_exit_code_2(sweep_file: Any, capsys: Any) -> None:
    code, out, err = besom_check(capsys, sweep_file("method: grdi\nparameters: {lr: {min: 2, max: 1}}\n"))
    assert (code, out) == (2, "")
    assert err.splitlines()[1:] == [
        'sweep.yaml:1:9: method: "grdi" is unknown here: did you mean `grid`?',
        "sweep.yaml:2:32: parameters.lr.max: `min` 2 must be below `max` 1",
    ]


def test_json_is_the_answer_of_the_wire(sweep_file: Any, capsys: Any) -> None:
    code, out, _ = besom_check(capsys, sweep_file(GOOD), "--json")
    answer = msgspec.json.decode(out, type=CheckAnswer)
    assert (code, answer.grid_size, len(answer.samples), answer.rungs[:2]) == (0, 6, 5, [3, 9])


def test_json_of_a_bad_file_is_its_problems(sweep_file: Any, capsys: Any) -> None:
    code, out, err = besom_check(capsys, sweep_file("method: grid\n"), "--json")
    assert code == 2
    assert json.loads(out)["problems"][0]["key"] == "parameters"
    assert "`parameters` is missing" in err


def test_a_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(GOOD.encode())))
    code, out, _ = besom_check(capsys, "-")
    assert (code, out.splitlines()[0]) == (0, "<stdin>: grid over 6 points, minimize val/loss")


def test_standard_input_that_is_no_text_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\x00")))
    assert besom_check(capsys, "-")[::2] == (2, "besom: standard input is not UTF-8 text (byte 0)\n")


def test_a_json_file_is_read_as_json(sweep_file: Any, capsys: Any) -> None:
    text = '{\n\t"method": "grid",\n\t"parameters": {"a": {"values": [1, 2]}}\n}'
    assert besom_check(capsys, sweep_file(text, "sweep.json"))[0] == 0


def test_environment_variables_stay_unexpanded(sweep_file: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "hunter2")
    _, out, _ = besom_check(capsys, sweep_file(GOOD + 'command: ["run", "key=${envvar:SECRET}"]\n'))
    assert "run 'key=${envvar:SECRET}'\n" in out
    assert "hunter2" not in out


def test_the_shown_command_line_is_what_a_shell_takes(sweep_file: Any, capsys: Any) -> None:
    words = ["a b", "it's", 'say "x"', "$HOME", "`id`", "back\\slash", "it's $5", "semi;colon", ""]
    command = json.dumps([sys.executable, "-c", "import sys; print(sys.argv[1:])", *words])
    _, out, _ = besom_check(capsys, sweep_file(GOOD + f"command: {command}\n"))
    lines = out.split("Command of the first run\n")[1].split("\n\n")[0]
    done = subprocess.run(["sh", "-c", lines], capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == repr(words)


def test_a_space_without_end_says_so(sweep_file: Any, capsys: Any) -> None:
    text = "method: random\nrun_cap: 1\ntime_cap: 8h\nparameters: {x: {min: 0.0, max: 1.0}}\n"
    _, out, _ = besom_check(capsys, sweep_file(text))
    assert out.splitlines()[0] == "sweep.yaml: random search without end, at most 1 run, for 8h"


def test_the_first_line_says_what_ends_the_sweep(sweep_file: Any, capsys: Any) -> None:
    ends = "metric: {name: m}\ntime_cap: 90\ncompute_cap: 8h\nplateau: {runs: 30}\n"
    _, out, _ = besom_check(capsys, sweep_file(f"method: random\n{ends}parameters: {{x: {{min: 0.0, max: 1.0}}}}\n"))
    assert out.splitlines()[0] == (
        "sweep.yaml: random search without end, minimize m, for 90 s, for 8h of run time, "
        "until 30 runs brought nothing better"
    )


def test_fixed_parameters_only_show_no_samples(sweep_file: Any, capsys: Any) -> None:
    code, out, _ = besom_check(capsys, sweep_file("method: grid\nparameters: {x: {value: 1}}\n"))
    assert (code, "grid over 1 point" in out, "first" in out.split("Command")[0]) == (0, True, False)


def test_control_characters_do_not_reach_the_terminal(sweep_file: Any, capsys: Any) -> None:
    text = 'method: grid\nparameters: {x: {values: ["\\e[31mred", "a\\nb"]}}\n'
    _, out, err = besom_check(capsys, sweep_file(text))
    assert "\x1b" not in out.split("Command")[0] + err


def test_explain_needs_no_file(capsys: Any) -> None:
    code, out, _ = besom_check(capsys, "--explain", "metric.goal")
    assert (code, out.splitlines()[:2]) == (0, ["metric.goal", "  Which way is better."])


def test_explain_of_an_unknown_key_is_one_sentence(capsys: Any) -> None:
    assert besom_check(capsys, "--explain", "metrik")[::2] == (
        2, "besom: there is no key `metrik`: did you mean `metric`?\n",
    )  # fmt: skip


def test_schema_is_printed_as_json(capsys: Any) -> None:
    code, out, _ = besom_check(capsys, "--schema")
    assert (code, json.loads(out)) == (0, json_schema())


def test_no_file_is_one_sentence(capsys: Any) -> None:
    code, _, err = besom_check(capsys)
    assert (code, err.startswith("besom: give a sweep file to check")) == (2, True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        bytes(range(256)),
        b"\0" * 100,
        b"[" * 100_000,
        b"a: [1",
        b"- a\n",
        b"a: *b\n",
        "é: \u2028".encode(),
    ],
)
def test_hostile_files_end_in_a_sentence(content: bytes, sweep_file: Any, capsys: Any) -> None:
    code, out, err = besom_check(capsys, sweep_file(content))
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 4


def test_a_missing_file_and_a_folder_end_in_a_sentence(tmp_path: Path, capsys: Any) -> None:
    for path in (tmp_path, tmp_path / "none.yaml"):
        code, out, err = besom_check(capsys, str(path))
        assert (code, out, len(err.splitlines())) == (2, "", 1)


def test_a_hundred_thousand_values_are_shown_in_brief(sweep_file: Any, capsys: Any) -> None:
    values = ", ".join(map(str, range(100_000)))
    code, out, _ = besom_check(capsys, sweep_file(f"method: grid\nparameters: {{x: {{values: [{values}]}}}}\n"))
    assert (code, "grid over 100,000 points" in out, len(out) < 2000) == (0, True, True)


def test_without_a_program_the_command_says_what_is_missing(sweep_file: Any, capsys: Any) -> None:
    code, out, _ = besom_check(capsys, sweep_file("method: grid\nparameters: {a: {values: [1]}}\n"))
    assert code == 0
    assert "The config names no program: add `program: train.py`, or give --program." in out


@pytest.mark.parametrize("line", ["program: train.py", "command: [python, train.py]"])
def test_with_a_program_or_a_command_of_its_own_nothing_is_missing(sweep_file: Any, capsys: Any, line: str) -> None:
    _, out, _ = besom_check(capsys, sweep_file(f"method: grid\n{line}\nparameters: {{a: {{values: [1]}}}}\n"))
    assert "names no program" not in out


@pytest.mark.parametrize(
    ("value", "width", "shown"),
    [(1.2345678e-05, 9, "1.235e-05"), (1.2345678e-05, 8, "1.23e-05"), (-1.2345678e-05, 8, "-1.2e-05"), (0.1, 6, "0.1")],
)
def test_the_number_of_a_sample_has_as_many_digits_as_fit(value: float, width: int, shown: str) -> None:
    assert _cell(value, width) == shown


def test_the_first_line_says_when_the_last_value_counts(sweep_file: Any, capsys: Any) -> None:
    _, out, _ = besom_check(capsys, sweep_file(GOOD.replace("val/loss,", "val/loss, mode: last, target: 0.1,")))
    assert out.startswith("sweep.yaml: grid over 6 points, minimize the last val/loss until 0.1\n")


def test_very_many_parameters_are_counted_and_not_listed(sweep_file: Any, capsys: Any) -> None:
    text = "method: random\nprogram: t.py\nparameters:\n" + "".join(
        f"  p{n}: {{min: 0, max: 1.5}}\n" for n in range(300)
    )
    code, out, _ = besom_check(capsys, sweep_file(text))
    assert code == 0
    assert out.count("and 200 more; `--json` lists all") == 2
    assert out.count("uniform") == 100
