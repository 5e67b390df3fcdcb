from __future__ import annotations

import json
import os
import subprocess
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

import besom
from besom.cli.main import main

CONFIG = {
    "method": "tpe",
    "metric": {"name": "acc", "goal": "maximize"},
    "parameters": {"lr": {"min": 1e-4, "max": 0.1}, "opt": {"values": ["sgd", "adam"]}},
}
RUNS = [
    {"id": f"r{number}", "config": {"lr": 0.01 * (number + 1), "opt": "adam"}, "state": "finished", "value": number}
    for number in range(6)
]
ONE_POINT = {"method": "random", "parameters": {"a": {"value": 1}}}


def asked(monkeypatch: Any, capsys: Any, *lines: Any) -> tuple[int, list[Any], str]:
    """The exit code, the answers and stderr."""
    text = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(text)))
    code = main(["suggest"])
    shown = capsys.readouterr()
    return code, [json.loads(line) for line in shown.out.splitlines()], shown.err


def test_each_line_is_answered_as_the_function_answers(monkeypatch: Any, capsys: Any) -> None:
    code, answers, err = asked(
        monkeypatch,
        capsys,
        {"config": CONFIG, "runs": RUNS, "seed": 4},
        {"config": CONFIG},
        {"config": CONFIG, "runs": RUNS, "number": 17},
    )
    assert (code, err) == (0, "")
    assert answers == [
        besom.suggest(CONFIG, RUNS, seed=4),
        besom.suggest(CONFIG, []),
        besom.suggest(CONFIG, RUNS, number=17),
    ]
    assert answers[0]["info"]["seen"] == ["r0", "r1", "r2", "r3", "r4", "r5"]


def test_an_exhausted_search_answers_null(monkeypatch: Any, capsys: Any) -> None:
    run = {"id": 1, "config": {"a": 1}, "state": "running"}
    code, answers, _ = asked(monkeypatch, capsys, {"config": ONE_POINT}, {"config": ONE_POINT, "runs": [run]})
    assert code == 0
    assert answers[0]["params"] == {"a": 1}
    assert answers[1] == {"params": None}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"nonsense", "line 2: it is not JSON: Expecting value at column 1"),
        (b'{"config": ', "line 2: it is not JSON: Expecting value at column 11"),
        (b'"\xff"', "line 2: it is not UTF-8 text (byte 1)"),
        (b"[" * 200_000, "line 2: it is not JSON that can be read: "),
        (b"[]", 'line 2: it is no JSON object: write {"config": …, "runs": […]}'),
        ({"runs": []}, "line 2: `config` is missing: write the sweep file as an object"),
        ({"config": CONFIG, "seeds": 1}, "line 2: there is no key `seeds` here: write `config`, `runs`, `seed`, "),
        ({"config": CONFIG, "runs": [3]}, "line 2: run 0 is 3: write a mapping"),
        ({"config": CONFIG, "seed": "x"}, "line 2: `seed` is a whole number from 0 on, not 'x'"),
        (
            {"config": {"method": "random", "parameters": {"a": {"min": 2, "max": 1}, "b": {"valus": [1]}}}},
            "line 2: config: parameters.a.max: `min` 2 must be below `max` 1; parameters.b.valus: unknown key",
        ),
    ],
)  # fmt: skip
def test_a_line_with_a_mistake_is_answered_in_its_place(
    monkeypatch: Any, capsys: Any, line: Any, sentence: str
) -> None:
    good = {"config": CONFIG, "runs": RUNS}
    code, answers, err = asked(monkeypatch, capsys, good, line, good)
    assert code == 2
    assert answers[0] == answers[2] == besom.suggest(CONFIG, RUNS)
    assert set(answers[1]) == {"error"}
    assert answers[1]["error"].startswith(sentence)
    assert err == f"besom: {answers[1]['error']}\n"


def test_empty_lines_are_passed_over_and_counted(monkeypatch: Any, capsys: Any) -> None:
    code, answers, _ = asked(monkeypatch, capsys, b"", b"  ", {"config": CONFIG}, b"", b"?")
    assert code == 2
    assert len(answers) == 2
    assert answers[1]["error"].startswith("line 5: ")


def test_words_of_numbers_that_are_not_finite_are_values(monkeypatch: Any, capsys: Any) -> None:
    lines = [
        {"config": CONFIG, "runs": [{**run, "value": value} if run["id"] == "r2" else run for run in RUNS]}
        for value in ("NaN", "Infinity", "-Infinity", None)
    ]
    bare = json.dumps(lines[0]).replace('"NaN"', "NaN").encode()
    code, answers, _ = asked(monkeypatch, capsys, *lines, bare)
    assert code == 0
    assert answers == [answers[0]] * 5


def test_a_program_can_ask_again_after_each_answer() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "besom", "suggest"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(besom.__file__).parents[1])},
    ) as program:  # fmt: skip
        assert program.stdin is not None
        assert program.stdout is not None
        runs: list[dict[str, Any]] = []
        for number in range(3):
            program.stdin.write(json.dumps({"config": CONFIG, "runs": runs}) + "\n")
            program.stdin.flush()
            answer = json.loads(program.stdout.readline())
            runs.append({"id": number, "config": answer["params"], "state": "finished", "value": number})
        program.stdin.close()
        assert program.wait(timeout=30) == 0
    assert len({run["config"]["lr"] for run in runs}) == 3
