from __future__ import annotations

import pytest

from besom.cli import words


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (None, "–"),
        ("2026-01-01T00:00:00.000Z", "just now"),
        ("2025-12-31T23:59:55.000Z", "5 s ago"),
        ("2025-12-31T23:57:00.000Z", "3 min ago"),
        ("2025-12-31T20:00:00.000Z", "4 h ago"),
        ("2025-12-22T00:00:00.000Z", "10 d ago"),
    ],
)
def test_times_read_as_the_distance_to_now(at, text):
    assert words.ago(at, now=1_767_225_600.0) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"), (0.123456, "0.1235"), (1e-5, "1e-05"), (3.0, "3.0"), (7, "7"), (True, "True"), ("NaN", "NaN"),
        ("a b", "a b"), ([1, 2], "[1, 2]"),
    ],
)  # fmt: skip
def test_values_in_a_cell(value, text):
    assert words.value_text(value) == text


def test_nested_params_have_dotted_names():
    assert words.params_text({"lr": 0.1, "opt": {"name": "adam", "betas": {"a": 1}}, "empty": {}}) == (
        "lr=0.1 opt.name=adam opt.betas.a=1 empty={}"
    )


@pytest.mark.parametrize(
    ("grid_size", "run_cap", "text"),
    [(6, None, "2 of 6"), (6, 3, "2 of 3"), (None, 2, "2 of 2"), (None, None, "2")],
)
def test_progress_is_measured_by_the_nearest_limit(grid_size, run_cap, text):
    sweep = {"grid_size": grid_size, "run_cap": run_cap, "runs": {"finished": 1, "failed": 1, "running": 3}}
    assert words.progress_text(sweep) == text


def test_how_many_of_how_many():
    assert (words.of_text(2, 6), words.of_text(1, None), words.of_text(0, 1)) == ("2 of 6 runs", "1 run", "0 of 1 run")


def test_states_without_runs_are_left_out():
    assert words.states_text({"finished": 4, "failed": 1, "running": 2, "crashed": 0}) == (
        "4 finished, 1 failed, 2 running"
    )


def test_one_run_is_no_runs():
    assert (words.count_text(1, "run"), words.count_text(0, "run")) == ("1 run", "0 runs")


def test_the_score_of_a_running_run_is_so_far():
    assert words.run_score_text({"state": "running", "score": 0.5}) == "0.5000 so far"
    assert words.run_score_text({"state": "running", "score": None}) == "–"
    assert words.run_score_text({"state": "finished", "score": "NaN"}) == "NaN"


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (123_456, "123 kB"), (999_600, "1.0 MB"), (4_200_000_000, "4.2 GB"),
     (12_000_000_000_000, "12000 GB")],
)  # fmt: skip
def test_bytes_have_a_unit(number, text):
    assert words.bytes_text(number) == text
