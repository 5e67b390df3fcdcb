"""Which point of a search space a config stands at: for runs that the sweep did not make itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from besom.space import Parameter, SearchSpace

_MISSING = object()


def params_of(space: SearchSpace, config: Mapping[str, Any]) -> dict[str, Any] | None:
    """The params that a config holds; None if it lacks a swept one or has a value outside of the space.

    A constant that the config does not name counts as it is in the sweep.
    """
    params: dict[str, Any] = {}
    for parameter in space.parameters:
        value = _look_up(config, parameter.path)
        if value is _MISSING:
            if parameter.distribution.kind != "constant":
                return None
            value = _constant(parameter)
        elif not parameter.distribution.contains(value):
            return None
        _put(params, parameter.path, value)
    return params


def _constant(parameter: Parameter) -> Any:
    values = parameter.distribution.finite_values()
    return values[0] if values else None


def _look_up(config: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    here: Any = config
    for part in path:
        if not isinstance(here, Mapping) or part not in here:
            return _MISSING
        here = here[part]
    return here


def _put(params: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for part in path[:-1]:
        params = params.setdefault(part, {})
    params[path[-1]] = value
