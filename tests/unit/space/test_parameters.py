from __future__ import annotations

from besom.space import Parameter, make_distribution

UNIFORM = make_distribution("uniform", {"min": 0, "max": 1})


def test_a_name_is_the_path_with_dots() -> None:
    assert Parameter(("optimizer", "lr"), UNIFORM).name == "optimizer.lr"


def test_a_dotted_name_is_one_place() -> None:
    assert Parameter(("optimizer.lr",), UNIFORM).name == "optimizer.lr"
    assert Parameter(("optimizer.lr",), UNIFORM) != Parameter(("optimizer", "lr"), UNIFORM)


def test_only_a_constant_is_constant() -> None:
    assert Parameter(("a",), make_distribution("constant", {"value": 1})).is_constant
    assert not Parameter(("a",), make_distribution("categorical", {"values": [1]})).is_constant
