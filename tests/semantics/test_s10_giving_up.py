"""Section 10.4: when an agent gives up, too many failed runs."""

import pytest

FAILS = "raise SystemExit(3)"
# Fails or not as its run's number says: F fails, S dies by a signal, anything else goes well.
BY_NUMBER = """
    import os, signal, sys
    word = sys.argv[1].partition("=")[2]
    if word == "F":
        sys.exit(1)
    if word == "S":
        os.kill(os.getpid(), signal.SIGKILL)
"""
MANY = {"x": {"values": list(range(20))}}
CALM = {"BESOM_AGENT_DISABLE_FLAPPING": "true"}


def outcomes(words):
    """A grid whose runs end as the words say, in their order."""
    return {"how": {"values": [f"{number:02d}{word}" for number, word in enumerate(words)]}}


def agent(workshop, sweep, script, *args, code, **environ):
    return workshop.besom("agent", sweep, *args, place=workshop.place(train=script), code=code, **environ)


def by_number(workshop, words, *args, code, **environ):
    script = BY_NUMBER.replace('"=")[2]', '"=")[2][2:]')
    sweep = workshop.sweep(outcomes(words), retry={"crashed": 0})
    return sweep, agent(workshop, sweep, script, *args, code=code, **environ)


def test_s10_4_three_failures_in_the_first_minute_end_the_agent_and_not_the_sweep(workshop):
    sweep = workshop.sweep(MANY)
    done = agent(workshop, sweep, FAILS, code=3)
    assert "Detected 3 failed runs in the first 60 seconds, shutting down" in done.stderr
    assert len(workshop.runs(sweep)) == 3
    assert workshop.state(sweep)["state"] == "running"


def test_s10_4_the_agent_says_whose_log_to_read(workshop):
    sweep = workshop.sweep(MANY)
    done = agent(workshop, sweep, FAILS, code=3)
    assert f"besom logs {workshop.runs(sweep)[-1]['id']}" in done.stderr


@pytest.mark.parametrize("prefix", ["BESOM", "WANDB"])
def test_s10_4_with_flapping_disabled_five_initial_failures_end_it(workshop, prefix):
    sweep = workshop.sweep(MANY)
    agent(workshop, sweep, FAILS, code=4, **{f"{prefix}_AGENT_DISABLE_FLAPPING": "true"})
    assert len(workshop.runs(sweep)) == 5


def test_s10_4_max_initial_failures_replaces_five(workshop):
    sweep = workshop.sweep(MANY)
    agent(workshop, sweep, FAILS, code=4, WANDB_AGENT_MAX_INITIAL_FAILURES="2")
    assert len(workshop.runs(sweep)) == 2


def test_s10_4_max_initial_failures_that_is_no_number_leaves_five(workshop):
    sweep = workshop.sweep(MANY)
    environ = {"WANDB_AGENT_MAX_INITIAL_FAILURES": "few", "WANDB_AGENT_DISABLE_FLAPPING": "true"}
    done = agent(workshop, sweep, FAILS, code=4, **environ)
    assert len(workshop.runs(sweep)) == 5
    assert done.stderr.count("besom: WANDB_AGENT_MAX_INITIAL_FAILURES='few' is not a whole number: 5 is used\n") == 1


def test_s10_4_at_most_one_success_is_no_excuse(workshop):
    _, done = by_number(workshop, "F.FFFF.", code=4, **CALM)
    assert "5 of the first 6 runs failed" in done.stderr


def test_s10_4_two_successes_are(workshop):
    sweep, _ = by_number(workshop, "F..FFFFFFF", code=0, **CALM)
    assert len(workshop.runs(sweep)) == 10


def test_s10_4_death_by_a_signal_is_no_failure(workshop):
    sweep, _ = by_number(workshop, "SSSSSSSS", code=0)
    assert [run["state"] for run in workshop.runs(sweep)] == ["crashed"] * 8


def test_s10_4_failures_in_a_row_end_it_at_any_time(workshop):
    sweep, _ = by_number(workshop, "..F.FF.....FFF.", "--max-consecutive-failed-runs", "3", code=5, **CALM)
    assert len(workshop.runs(sweep)) == 14


FUNCTION_AGENT = """
    import besom, os, sys

    def train():
        with besom.init() as run:
            if run.config["x"] not in {good}:
                raise ValueError("no")

    besom.agent(sys.argv[1], function=train)
    print("and the script goes on")
"""


def function_agent(workshop, sweep, good=(), **environ):
    place = workshop.place(script=FUNCTION_AGENT.format(good=list(good)))
    done = workshop.command("script.py", sweep, place=place, **environ)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("and the script goes on\n")
    return len(workshop.runs(sweep)), done


def test_s10_4_a_function_agent_flaps_after_three_failures(workshop):
    number, done = function_agent(workshop, workshop.sweep(MANY))
    assert number == 3
    assert "ValueError: no" in done.stdout


def test_s10_4_a_function_agent_with_flapping_disabled_does_not_stop_after_the_first(workshop):
    number, _ = function_agent(workshop, workshop.sweep(MANY), **CALM)
    assert number == 6, "more than five, and every one failed"


def test_s10_4_one_success_keeps_a_function_agent_going(workshop):
    number, _ = function_agent(workshop, workshop.sweep({"x": {"values": list(range(9))}}), good=[1], **CALM)
    assert number == 9
