import pytest

from besom.agents.settings import VARIABLES, misread, number, read


def test_ours_wins_over_wandbs_and_an_empty_one_counts_as_absent():
    name, twin = "BESOM_AGENT_KILL_DELAY", "WANDB_AGENT_KILL_DELAY"
    assert read({name: "1", twin: "2"}, name) == "1"
    assert read({name: "", twin: "2"}, name) == "2"
    assert read({}, name) == "30"


@pytest.mark.parametrize("text", ["soon", "-1", "nan", ""])
def test_what_is_no_number_leaves_the_default(text):
    assert number({"BESOM_AGENT_KILL_DELAY": text}, "BESOM_AGENT_KILL_DELAY") == 30.0


def test_what_is_no_number_is_told_by_the_name_that_was_given():
    assert misread({"WANDB_AGENT_KILL_DELAY": "soon", "BESOM_AGENT_MAX_INITIAL_FAILURES": "2.5"}) == [
        "BESOM_AGENT_MAX_INITIAL_FAILURES='2.5' is not a whole number: 5 is used",
        "WANDB_AGENT_KILL_DELAY='soon' is not a number of seconds: 30 is used",
    ]
    assert misread({"BESOM_AGENT_KILL_DELAY": "", "BESOM_AGENT_HEARTBEAT": "0.2"}) == []


def test_every_variable_is_explained_and_has_a_default():
    assert all(variable.help and variable.default for variable in VARIABLES)
