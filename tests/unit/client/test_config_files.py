import json

import pytest

from besom.client.config_files import read_config_file, values_of_files
from besom.errors import UsageError


@pytest.fixture
def write(tmp_path):
    def write(text, name="config.yaml"):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return file

    return write


def test_wandb_form_is_unwrapped(write):
    file = write("wandb_version: 1\n\nlr:\n  desc: how fast\n  value: 0.1\nopt:\n  value: {name: sgd}\n")
    assert read_config_file(file) == {"lr": 0.1, "opt": {"name": "sgd"}}


def test_a_plain_mapping_works(write):
    assert read_config_file(write("lr: 0.1\nopt: {name: sgd, value: 3}\n")) == {
        "lr": 0.1,
        "opt": {"name": "sgd", "value": 3},
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-3", 0.001), ("1E5", 1e5), ("1.5e+3", 1500.0), ("10_000", 10000), ("007", "007"), ("1:30", "1:30"),
     ("'1e-3'", "1e-3"), ("0x10", 16), ("-.5", -0.5), ("yes", True), ("null", None), ("12", 12)],
)  # fmt: skip
def test_numbers_are_read_as_in_sweep_files(write, text, value):
    found = read_config_file(write(f"x: {text}\n"))["x"]
    assert found == value
    assert type(found) is type(value)


def test_json_files_need_no_yaml(write):
    assert read_config_file(write(json.dumps({"lr": {"value": 1}}), "config.json")) == {"lr": 1}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("- 1\n", "must hold names and values"), ("a: [\n", "is not YAML"), ("wandb_version: 7\n", "only 1 is known")],
)
def test_bad_files_are_told_in_a_sentence(write, text, sentence):
    with pytest.raises(UsageError, match=sentence):
        read_config_file(write(text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere\.yaml cannot be read: No such file"):
        read_config_file(tmp_path / "nowhere.yaml")


def test_an_empty_file_is_an_empty_config(write):
    assert read_config_file(write("")) == {}


def test_listed_files_win_over_defaults(write, tmp_path):
    write("lr: 1\nepochs: 5\n", "config-defaults.yaml")
    first, second = write("lr: 2\n", "a.yaml"), write("lr: 3\n", "b.yaml")
    assert values_of_files({"BESOM_CONFIG_PATHS": f"{first}, {second}"}, tmp_path) == {"lr": 3, "epochs": 5}
    assert values_of_files({"WANDB_CONFIG_PATHS": str(first)}, tmp_path) == {"lr": 2, "epochs": 5}
