from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from besom.cli.runs_table import differing_params, print_runs, reason


def _run(name: str, score: Any, **params: Any) -> dict[str, Any]:
    return {
        "id": name, "state": "finished", "score": score, "params": params, "runtime_s": 2.0,
        "stop_reason": None, "error": None, "warnings": [],
    }  # fmt: skip


def _draw(runs: list[dict[str, Any]], width: int) -> list[str]:
    out = Console(file=io.StringIO(), width=width, no_color=True)
    print_runs(out, runs, "loss", now=1_767_225_600.0)
    return out.file.getvalue().splitlines()


RUNS = [_run("a1", 0.25, lr=0.01, batch=32, epochs=5), _run("b2", 0.5, lr=0.1, batch=64, epochs=5)]


def test_params_that_never_differ_have_no_column():
    assert differing_params(RUNS) == ["lr", "batch"]


def test_one_run_alone_shows_all_its_params():
    assert differing_params(RUNS[:1]) == ["lr", "batch", "epochs"]


def test_true_is_not_one():
    assert differing_params([_run("a", 1, flag=True), _run("b", 1, flag=1)]) == ["flag"]


def test_params_stand_in_columns_of_their_own():
    head, first, second = _draw(RUNS, 80)
    assert head.split() == ["run", "state", "loss", "lr", "batch", "time"]
    assert first.split() == ["a1", "finished", "0.2500", "0.01", "32", "2.0", "s"]
    assert second.split()[:1] == ["b2"]


def test_where_they_do_not_fit_they_share_one_column():
    runs = [_run(f"r{k}", 0.1, **{f"a_long_name_{i}": i * k for i in range(1, 9)}) for k in (1, 2)]
    lines = _draw(runs, 80)
    assert lines[0].split() == ["run", "state", "loss", "time", "params"]
    assert max(map(len, lines)) <= 80
    assert "a_long_name_8=16" in " ".join(lines)


STOPPED = {**RUNS[1], "state": "stopped", "stop_reason": "step 9: 0.61 is above 0.44, the best third of 12 runs"}


def test_reasons_get_a_column_where_there_is_room():
    lines = _draw([RUNS[0], STOPPED], 120)
    assert lines[0].split()[-1] == "why"
    assert lines[2].endswith("the best third of 12 runs")


def test_reasons_stand_below_the_table_where_there_is_none():
    head, _, second, empty, below = _draw([RUNS[0], STOPPED], 80)
    assert head.split()[-1] == "time"
    assert (second.split()[0], empty) == ("b2", "")
    assert below == f"b2  {STOPPED['stop_reason']}"


def test_a_run_that_was_done_before_it_was_stopped_has_no_reason():
    assert reason({**STOPPED, "state": "finished"}) == ""


def test_the_reason_is_the_exception_and_not_the_end_of_its_message():
    error = "Traceback (most recent call last):\n  File x\nValueError: no\nbecause\n"
    assert reason({**RUNS[0], "error": error}) == "ValueError: no"


def test_a_running_run_shows_its_time_so_far():
    running = {**RUNS[1], "state": "running", "started": "2025-12-31T23:57:55.000Z", "runtime_s": None}
    assert _draw([RUNS[0], running], 80)[2].endswith("2 min 05 s")


def test_what_is_noticed_of_several_runs_is_told_once():
    warned = [{**run, "warnings": ["`lr` was never read"]} for run in RUNS]
    assert [line for line in _draw(warned, 80) if "never read" in line] == ["warning: `lr` was never read"]


def test_a_warning_of_some_runs_names_them():
    warned = [{**RUNS[0], "warnings": ["metric `x` was never logged"]}, *RUNS[1:]]
    told = [line for line in _draw(warned, 80) if "never logged" in line]
    assert told == [f"warning ({RUNS[0]['id']}): metric `x` was never logged"]


def test_numbers_stand_right_and_words_left():
    runs = [_run("a1", 0.1, kind="x", n=1), _run("b2", 0.2, kind="long", n=100)]
    assert _draw(runs, 80)[1:] == [
        "a1   finished  0.1000  x       1  2.0 s",
        "b2   finished  0.2000  long  100  2.0 s",
    ]
