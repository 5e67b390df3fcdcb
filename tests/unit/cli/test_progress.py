from __future__ import annotations

import pytest

from besom.cli.progress import Pace, PlainDisplay, Snapshot, Status, status, status_line


def _sweep(**runs: int) -> dict:
    return {"grid_size": 6, "run_cap": None, "runs": runs, "metric": {"name": "loss"}, "state": "running"}


BEST = {"score": 0.43211, "params": {"batch_size": 32, "learning_rate": 0.01}}


def _status(found: Snapshot, count: int | None = None) -> Status:
    return status(found, count, Pace(started=0.0), now=30.0)


def test_the_time_left_is_unknown_before_the_first_run_ends():
    assert Pace(started=0.0).left(0, 6, now=100.0) is None


def test_the_time_left_is_unknown_without_an_end():
    assert Pace(started=0.0).left(3, None, now=100.0) is None


def test_the_time_left_follows_the_pace_of_the_runs():
    pace = Pace(started=100.0)
    assert pace.left(2, 6, now=120.0) == pytest.approx(40.0)
    assert pace.left(2, 6, now=130.0) == pytest.approx(30.0)
    assert pace.left(4, 6, now=140.0) == pytest.approx(20.0)
    assert pace.left(4, 6, now=500.0) == 0.0


def test_when_the_first_of_several_runs_ends_the_others_are_nearly_done():
    pace = Pace(started=0.0, agents=2)
    assert pace.left(1, 6, now=30.0) == pytest.approx(60.0)
    assert pace.left(2, 6, now=33.0) == pytest.approx(66.0)


def test_the_status_tells_how_far_what_is_best_and_how_long():
    found = _status(Snapshot(_sweep(finished=2, failed=1, running=2), BEST))
    assert found.text() == (
        "3 of 6 runs (1 failed), 2 running, best loss 0.4321 (batch_size=32 learning_rate=0.01), about 30 s left"
    )


def test_before_the_first_run_ends_the_status_tells_the_time_so_far():
    assert _status(Snapshot(_sweep(running=1))).text() == "0 of 6 runs, 1 running, 30 s so far"


def test_a_count_is_the_end_where_it_comes_first():
    assert _status(Snapshot(_sweep(finished=1)), count=2).counts == "1 of 2 runs"
    assert _status(Snapshot({**_sweep(finished=1), "grid_size": None})).counts == "1 run"


def test_at_the_end_the_status_tells_how_long_it_took():
    assert _status(Snapshot({**_sweep(finished=6), "state": "finished"})).time == "after 30 s"


@pytest.mark.parametrize("width", [200, 120, 80, 60])
def test_the_line_fits_the_terminal_and_keeps_what_matters(width):
    found = _status(Snapshot(_sweep(finished=3, running=2), BEST))
    line = status_line(found, width, ascii_only=False).plain
    assert len(line) <= width
    assert "3 of 6 runs" in line
    assert "0.4321" in line
    assert "30 s left" in line
    assert ("learning_rate" in line) == (width >= 120)


def test_a_terminal_without_unicode_gets_an_ascii_bar():
    found = _status(Snapshot(_sweep(finished=3)))
    assert status_line(found, 80, ascii_only=True).plain.startswith("########--------  3 of 6")


def test_where_no_terminal_is_only_news_is_told(capsys):
    display = PlainDisplay(agents=1)
    one = Status(0, 6, "0 of 6 runs", "1 running", "", "", "1 s so far")
    two = Status(1, 6, "1 of 6 runs", "1 running", "best loss 0.4", "lr=1", "about 5 s left")
    for found in (one, one, two, two):
        display.show(found)
    assert capsys.readouterr().err.splitlines() == [f"besom: {two.text()}"]


@pytest.mark.parametrize(("agents", "line"), [(1, "epoch 1"), (2, "[2] epoch 1")])
def test_lines_of_several_agents_are_told_apart(agents, line, capsys):
    PlainDisplay(agents).line(2, "epoch 1")
    assert capsys.readouterr().err == f"{line}\n"
