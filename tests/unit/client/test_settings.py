import pytest

from besom.client.settings import VARIABLES, Settings, finish_timeout_s, is_on, outer_ranks, rank, read


def test_names_are_unique_and_explained():
    names = [variable.name for variable in VARIABLES]
    assert len(names) == len(set(names))
    assert all(variable.help for variable in VARIABLES)


def test_ours_wins_over_wandbs_and_that_over_the_default():
    assert read("BESOM_MODE", {"BESOM_MODE": "offline", "WANDB_MODE": "disabled"}) == "offline"
    assert read("BESOM_MODE", {"WANDB_MODE": "disabled"}) == "disabled"
    assert read("BESOM_MODE", {"BESOM_MODE": ""}) == "online"
    assert read("BESOM_PROJECT", {}) is None


@pytest.mark.parametrize(("value", "on"), [("1", True), ("TRUE", True), ("yes", True), ("0", False), ("false", False)])
def test_switches(value, on):
    assert is_on("BESOM_WRITE_BACK", {"BESOM_WRITE_BACK": value}) is on


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, 0),
        ({"RANK": "3", "LOCAL_RANK": "1"}, 3),
        ({"RANK": "0", "LOCAL_RANK": "0"}, 0),
        ({"LOCAL_RANK": "2"}, 2),
        ({"SLURM_PROCID": "5"}, 5),
        ({"OMPI_COMM_WORLD_RANK": "1"}, 1),
        ({"RANK": "first"}, 0),
        ({"SLURM_PROCID": "5", "BESOM_OUTER_RANKS": "SLURM_PROCID=5"}, 0),
        ({"SLURM_PROCID": "6", "BESOM_OUTER_RANKS": "SLURM_PROCID=5"}, 6),
        ({"SLURM_PROCID": "5", "RANK": "1", "BESOM_OUTER_RANKS": "SLURM_PROCID=5"}, 1),
    ],
)
def test_rank(environ, expected):
    assert rank(environ) == expected


def test_an_agents_own_ranks_are_handed_on():
    assert outer_ranks({"SLURM_PROCID": " 5", "LOCAL_RANK": "1", "RANK": ""}) == "SLURM_PROCID=5,LOCAL_RANK=1"


def test_settings_take_wandbs_names_and_remember_what_has_no_effect():
    settings = Settings(run_id="a", run_name="b", mode="offline", console="off")
    assert settings.options == {"id": "a", "name": "b", "mode": "offline"}
    assert settings.ignored == ["console"]


@pytest.mark.parametrize(("text", "seconds"), [("", 60.0), ("0", 0.0), ("2.5", 2.5), ("-1", 0.0), ("soon", 60.0)])
def test_the_end_waits_as_long_as_the_variable_says_and_never_fails_over_it(text, seconds):
    assert finish_timeout_s({"BESOM_FINISH_TIMEOUT": text}) == seconds
