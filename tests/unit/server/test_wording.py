from __future__ import annotations

import pytest

from besom.server import wording
from besom.wire.runs import RunAnswer
from besom.wire.sweeps import RunCounts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"), (True, "true"), (0.123456789, "0.12346"), (1e-05, "1e-05"), (3, "3"), (2.0, "2"), ("adam", "adam"),
        ("NaN", "NaN"), ("Infinity", "∞"), ("-Infinity", "−∞"), ([1, 2], "[1,2]"), ({}, "{}"),
    ],
)  # fmt: skip
def test_values_read_well(value, text):
    assert wording.value_text(value) == text


@pytest.mark.parametrize(
    ("value", "expected"), [(1, True), (0.5, True), ("NaN", True), (True, False), ("x", False), ([1], False)]
)
def test_numbers_are_told_from_the_rest(value, expected):
    assert wording.is_number(value) is expected


def test_times_lose_their_fractions():
    assert wording.moment("2026-03-01T12:30:05.123Z") == "2026-03-01 12:30:05 UTC"


def test_states_that_are_none_are_left_out():
    assert wording.states_text(RunCounts(finished=4, failed=1, running=2)) == "4 finished, 1 failed, 2 running"
    assert wording.states_text(RunCounts()) == "none yet"


def test_a_console_is_shown_as_the_terminal_showed_it():
    raw = b"\x1b[31mred\x1b[0m\r\n 10%|#  |\r100%|###|\r\nlast \xff\n"
    assert wording.last_lines(raw) == "red\n100%|###|\nlast �"


def test_the_last_lines_are_shown():
    assert wording.last_lines(b"".join(b"%d\n" % n for n in range(500)), most=2) == "498\n499"


def run_answer(**facts):
    given = dict.fromkeys(RunAnswer.__struct_fields__)
    return RunAnswer(**{**given, "state": "running", **facts})


def test_a_running_run_has_its_runtime_so_far():
    run = run_answer(started="1970-01-01T00:01:00.500Z")
    assert wording.runtime(run, 185.5) == "2 min 05 s"


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"state": "finished", "started": "1970-01-01T00:01:00.000Z", "runtime_s": 3.0}, "3.0 s"),
        ({"state": "queued"}, "–"),
        ({"state": "running"}, "–"),
    ],
)
def test_other_runs_have_their_runtime_or_none(facts, text):
    assert wording.runtime(run_answer(**facts), 185.5) == text


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"state": "stopped", "stop_reason": "step 9: too high"}, "step 9: too high"),
        ({"state": "finished", "stop_reason": "step 9: too high"}, None),
        ({"state": "failed", "error": "Traceback\nValueError: no\n"}, "ValueError: no"),
        ({"state": "finished"}, None),
    ],
)
def test_why_a_run_ended_is_told_of_runs_that_did_not_end_well(facts, text):
    assert wording.why_ended(run_answer(**facts)) == text
