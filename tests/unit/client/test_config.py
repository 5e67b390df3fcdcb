import argparse
import copy
import json
import math
import pickle
from dataclasses import dataclass

import numpy
import pytest

from besom.client.config import Config, ConfigState, as_config
from besom.client.reads import Reads
from besom.errors import ConfigError, UsageError


def make(values=None, locked=None, **how):
    changes = []
    state = ConfigState({**(values or {}), **(locked or {})}, locked=locked, on_change=changes.append, **how)
    return Config(state), changes


def reading(values):
    reads = Reads(values)
    return Config(ConfigState(values, reads=reads)), reads


def test_values_are_there_by_item_attribute_and_get():
    config, _ = make({"lr": 0.1})
    assert config["lr"] == config.lr == config.get("lr") == 0.1
    assert config.get("other", 5) == 5
    assert "lr" in config
    assert "other" not in config


def test_a_missing_attribute_names_what_is_there():
    config, _ = make({"lr": 0.1})
    with pytest.raises(AttributeError, match="'epochs': it holds lr"):
        _ = config.epochs


def test_a_missing_item_is_a_key_error():
    config, _ = make()
    with pytest.raises(KeyError):
        config["lr"]


def test_new_values_are_told_whole():
    config, changes = make()
    config.lr = 0.1
    config["opt"] = {"name": "sgd"}
    config.update({"a": 1, "b": 2})
    assert changes == [{"lr": 0.1}, {"opt": {"name": "sgd"}}, {"a": 1, "b": 2}]


def test_the_same_value_again_is_no_change():
    config, changes = make({"lr": 0.1, "x": math.nan})
    config.update({"lr": 0.1, "x": float("nan")})
    assert changes == []


def test_changing_a_value_is_an_error_that_names_both():
    config, _ = make({"lr": 0.1})
    with pytest.raises(ConfigError, match=r'key "lr" from 0\.1 to 0\.2.*allow_val_change=True'):
        config.lr = 0.2
    assert config.lr == 0.1


def test_an_update_with_a_refused_value_changes_nothing():
    config, changes = make({"lr": 0.1})
    with pytest.raises(ConfigError):
        config.update({"new": 1, "lr": 0.2})
    assert "new" not in config
    assert changes == []


def test_allowed_changes_are_made():
    config, _ = make({"lr": 0.1})
    config.update({"lr": 0.2}, allow_val_change=True)
    assert config.lr == 0.2
    config, _ = make({"lr": 0.1}, allow_val_change=True)
    config.lr = 0.3
    assert config.lr == 0.3


def test_setdefaults_fills_only_what_is_absent():
    config, _ = make({"lr": 0.1})
    config.setdefaults({"lr": 0.5, "epochs": 3})
    assert dict(config) == {"lr": 0.1, "epochs": 3}
    assert config.setdefault("epochs", 9) == 3
    assert config.setdefault("new", 9) == 9


def test_hyphens_at_the_ends_of_names_fall_away():
    config, _ = make()
    config.update({"--lr": 0.1, "weight-decay": 1})
    assert list(config) == ["lr", "weight-decay"]


def test_names_with_an_underscore_in_front_are_hidden():
    config, _ = make({"_inner": 1, "lr": 2})
    assert dict(config) == config.as_dict() == {"lr": 2}
    assert config["_inner"] == 1


def test_values_are_made_json_friendly():
    config, _ = make()
    config.update({"a": numpy.float32(0.5), "b": (1, 2), "c": numpy.arange(2)})
    json.dumps(dict(config))
    assert config.as_dict() == {"a": 0.5, "b": [1, 2], "c": [0, 1]}


def test_vars_and_stars_work_as_for_a_namespace():
    config, _ = make({"lr": 0.1, "n": 2})
    assert vars(config) == {"lr": 0.1, "n": 2}
    assert dict(**config) == {"lr": 0.1, "n": 2}


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(lambda config: config["a"], id="item"),
        pytest.param(lambda config: config.a, id="attribute"),
        pytest.param(lambda config: config.get("a"), id="get"),
    ],
)
def test_reading_one_value_counts_for_that_value(how):
    config, reads = reading({"a": 1, "b": 2})
    how(config)
    assert reads._taken == {"a"}


TAKING_ALL = {
    "dict": dict,
    "list": list,
    "vars": vars,
    "deepcopy": copy.deepcopy,
    "pickle": pickle.dumps,
    "items": lambda config: list(config.items()),
    "values": lambda config: list(config.values()),
    "as_dict": lambda config: config.as_dict(),
    "stars": lambda config: dict(**config),
    "merge": lambda config: {**config},
}


@pytest.mark.parametrize("how", TAKING_ALL.values(), ids=TAKING_ALL)
def test_taking_all_values_counts_for_all(how):
    config, reads = reading({"a": 1, "b": 2})
    how(config)
    assert reads._taken == {"a", "b"}


@pytest.mark.parametrize("how", [repr, str, len, bool])
def test_looking_without_taking_does_not_count(how):
    config, reads = reading({"a": 1})
    how(config)
    assert "a" in config
    assert reads._taken == set()


def test_copies_keep_values_and_record_nothing():
    config, changes = make({"lr": {"a": 1}}, locked={"x": 1})
    for twin in (copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
        assert dict(twin) == dict(config)
        twin["new"] = 1
    assert changes == []
    assert "new" not in config


@dataclass
class Options:
    lr: float = 0.1


class AbslFlags:
    """What absl.flags.FLAGS answers to."""

    def flag_values_dict(self):
        return {"lr": 0.1}


@pytest.mark.parametrize(
    "given", [{"lr": 0.1}, argparse.Namespace(lr=0.1), AbslFlags(), Options(), Config(ConfigState({"lr": 0.1}))]
)
def test_configs_come_in_many_forms(given):
    assert as_config(given) == {"lr": 0.1}


@pytest.mark.parametrize("given", [5, [1], {1, 2}, object, len])
def test_what_is_no_config_is_refused(given):
    with pytest.raises(UsageError, match="pass a dictionary"):
        as_config(given)


def test_none_is_an_empty_config():
    assert as_config(None) == {}
