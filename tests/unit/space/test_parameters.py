from __future__ import annotations

from typing import Any

from besom.space import Parameter, make_distribution
from besom.space.parameters import MISSING

UNIFORM = make_distribution("uniform", {"min": 0, "max": 1})


def test_a_name_is_the_path_with_dots() -> None:
    assert Parameter(("optimizer", "lr"), UNIFORM).name == "optimizer.lr"


def test_a_dotted_name_is_one_place() -> None:
    assert Parameter(("optimizer.lr",), UNIFORM).name == "optimizer.lr"
    assert Parameter(("optimizer.lr",), UNIFORM) != Parameter(("optimizer", "lr"), UNIFORM)


def test_only_a_constant_is_constant() -> None:
    assert Parameter(("a",), make_distribution("constant", {"value": 1})).is_constant
    assert not Parameter(("a",), make_distribution("categorical", {"values": [1]})).is_constant


def test_a_value_is_found_where_the_path_leads() -> None:
    nested = Parameter(("optimizer", "lr"), UNIFORM)
    assert nested.value_in({"optimizer": {"lr": None, "name": "sgd"}}) is None
    withouts: list[dict[str, Any]] = [{}, {"optimizer": {}}, {"optimizer": 3}, {"optimizer.lr": 3}]
    assert all(nested.value_in(without) is MISSING for without in withouts)
