from __future__ import annotations

from typing import Any

import pytest

from besom.engine.known_points import params_of
from besom.space import Parameter, SearchSpace, make_distribution

SPACE = SearchSpace(
    [
        Parameter(("lr",), make_distribution("categorical", {"values": [0.1, 0.2]})),
        Parameter(("opt", "beta"), make_distribution("uniform", {"min": 0.0, "max": 1.0})),
        Parameter(("epochs",), make_distribution("constant", {"value": 5})),
    ]
)


def test_a_config_with_all_swept_keys_stands_at_a_point() -> None:
    config = {"lr": 0.1, "opt": {"beta": 0.5, "more": 1}, "other": "x"}
    assert params_of(SPACE, config) == {"lr": 0.1, "opt": {"beta": 0.5}, "epochs": 5}


def test_a_config_with_another_constant_stands_elsewhere() -> None:
    assert params_of(SPACE, {"lr": 0.1, "opt": {"beta": 0.5}, "epochs": 7}) is None


@pytest.mark.parametrize(
    "config", [{}, {"lr": 0.1}, {"lr": 0.1, "opt": 3}, {"lr": 0.1, "opt": {}}, {"lr": 0.3, "opt": {"beta": 0.5}}]
)
def test_a_config_that_lacks_a_swept_key_or_lies_outside_stands_nowhere(config: dict[str, Any]) -> None:
    assert params_of(SPACE, config) is None
