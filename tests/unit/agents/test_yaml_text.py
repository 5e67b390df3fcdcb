import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from besom.agents.yaml_text import parameter_file, yaml_value

text = st.text(st.characters(codec="utf-8"))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner) | st.dictionaries(text.filter(bool), inner),
    max_leaves=8,
)


def test_the_file_has_wandbs_form():
    assert parameter_file({"lr": 0.001, "layers": [1, 2]}) == (
        "wandb_version: 1\n\nlr:\n  value: 0.001\n\nlayers:\n  value: [1, 2]\n"
    )


def test_only_top_level_names_get_the_wrapper():
    read = yaml.safe_load(parameter_file({"optimizer": {"lr": 0.1, "name": "adam"}}))
    assert read["optimizer"] == {"value": {"lr": 0.1, "name": "adam"}}


VALUES = [1e-05, 3e6, 1e22, -1e-7, math.inf, -math.inf, "1e-05", "on", "008", "", "~", "é\u2028"]


@pytest.mark.parametrize("value", VALUES, ids=[ascii(value) for value in VALUES])
def test_values_read_back_as_they_were_in_yaml_1_1(value):
    read = yaml.safe_load(yaml_value(value))
    assert read == value
    assert type(read) is type(value)


def test_nan_reads_back_as_nan():
    assert math.isnan(yaml.safe_load(yaml_value(math.nan)))


@pytest.mark.parametrize("name", ["on", "no", "null", "optimizer.lr", "a-b", "_x", "NaN"])
def test_names_read_back_as_text(name):
    assert name in yaml.safe_load(parameter_file({name: 1}))


@given(st.dictionaries(text.filter(bool), values))
def test_every_json_like_value_survives(params):
    read = yaml.safe_load(parameter_file(params))
    read.pop("wandb_version") if "wandb_version" not in params else None
    assert {name: read[name]["value"] for name in params} == params
