"""Which point of a search space a config stands at: for runs that the sweep did not make itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from besom.space import Parameter, SearchSpace
from besom.space.parameters import MISSING


def params_of(space: SearchSpace, config: Mapping[str, Any]) -> dict[str, Any] | None:
    """The params that a config holds; None if it lacks a swept one or has a value outside of the space.

    A constant that the config does not name counts as it is in the sweep.
    """
    values = []
    for parameter in space.parameters:
        value = parameter.value_in(config)
        if value is MISSING:
            if parameter.distribution.kind != "constant":
                return None
            value = _constant(parameter)
        elif not parameter.distribution.contains(value):
            return None
        values.append(value)
    return space.nest(values)


def _constant(parameter: Parameter) -> Any:
    values = parameter.distribution.finite_values()
    return values[0] if values else None
