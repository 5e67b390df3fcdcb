import pytest

from besom.agents.exit_codes import ExitCode
from besom.agents.patience import Limits, Patience, pause_s, read_limits


def after(outcomes, limits, every_s=100.0):
    """The first ending while runs with these outcomes (F: failed, .: not) end one by one."""
    patience = Patience(limits, started=0.0)
    for number, outcome in enumerate(outcomes, 1):
        ending = patience.run_ended(f"run{number}", failed=outcome == "F", now=number * every_s)
        if ending:
            return number, ending.code
    return None


def test_three_failures_in_the_first_minute_are_flapping():
    assert after("FFF", Limits(), every_s=10) == (3, ExitCode.FLAPPING)
    assert after(".F.FF", Limits(), every_s=10) == (5, ExitCode.FLAPPING)


def test_three_failures_after_the_first_minute_are_not_flapping():
    assert after("FFF", Limits(), every_s=30) is None


def test_five_initial_failures_end_the_agent():
    assert after("FFFFF", Limits()) == (5, ExitCode.INITIAL_FAILURES)


def test_one_success_does_not_save_from_initial_failures_and_two_do():
    assert after("F.FFFF", Limits()) == (6, ExitCode.INITIAL_FAILURES)
    assert after("F.F.FFFFFFF", Limits()) is None


def test_a_function_agent_bears_five_failures_and_one_success_saves_it():
    assert after("FFFFFF", Limits(function=True)) == (6, ExitCode.INITIAL_FAILURES)
    assert after(".FFFFFFFF", Limits(function=True)) is None


def test_failures_in_a_row_count_at_any_time():
    assert after("...FF.FFF", Limits(max_consecutive=3)) == (9, ExitCode.CONSECUTIVE_FAILURES)
    assert after("...FF.FF", Limits(max_consecutive=3)) is None


def test_the_ending_names_the_run_whose_log_to_read():
    patience = Patience(Limits(max_consecutive=1), started=0.0)
    ending = patience.run_ended("k3j2h1ab", failed=True, now=100.0)
    assert ending
    assert "besom logs k3j2h1ab" in ending.advice


@pytest.mark.parametrize("name", ["BESOM_AGENT_DISABLE_FLAPPING", "WANDB_AGENT_DISABLE_FLAPPING"])
def test_flapping_can_be_turned_off_and_the_agent_goes_on(name):
    limits = read_limits({name: "true"})
    assert after("FFFF", limits, every_s=1) is None
    assert after("F", read_limits({name: "true"}, function=True), every_s=1) is None


def test_the_first_failures_borne_are_a_variable_and_no_number_leaves_the_default():
    assert read_limits({"WANDB_AGENT_MAX_INITIAL_FAILURES": "2"}).max_initial_failures == 2
    assert read_limits({"BESOM_AGENT_MAX_INITIAL_FAILURES": "many"}).max_initial_failures == 5


def test_our_variable_wins_over_wandbs():
    environ = {"WANDB_AGENT_DISABLE_FLAPPING": "true", "BESOM_AGENT_DISABLE_FLAPPING": "false"}
    assert read_limits(environ).flapping is True


def test_every_exit_code_is_told_apart_and_explained():
    assert len({code.value for code in ExitCode}) == len(ExitCode)
    assert all(code.help for code in ExitCode)
    assert ExitCode.DONE == 0
    assert ExitCode.INTERRUPTED == 130


@pytest.mark.parametrize(("waited_s", "pause"), [(0.0, 0.5), (5.0, 0.5), (20.0, 2.0), (3600.0, 5.0)])
def test_an_agent_asks_again_after_a_tenth_of_its_wait(waited_s, pause):
    assert pause_s(5.0, waited_s) == pause


def test_an_agent_asks_again_no_later_than_the_server_says():
    assert pause_s(0.0, 20.0) == 0.0
