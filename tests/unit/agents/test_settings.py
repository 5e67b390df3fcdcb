import pytest

from besom.agents.settings import VARIABLES, number, read


def test_ours_wins_over_wandbs_and_an_empty_one_counts_as_absent():
    name, twin = "BESOM_AGENT_KILL_DELAY", "WANDB_AGENT_KILL_DELAY"
    assert read({name: "1", twin: "2"}, name) == "1"
    assert read({name: "", twin: "2"}, name) == "2"
    assert read({}, name) == "30"


@pytest.mark.parametrize("text", ["soon", "-1", "nan", ""])
def test_what_is_no_number_leaves_the_default(text):
    assert number({"BESOM_AGENT_KILL_DELAY": text}, "BESOM_AGENT_KILL_DELAY") == 30.0


def test_every_variable_is_explained_and_has_a_default():
    assert all(variable.help and variable.default for variable in VARIABLES)
