"""The search space of a sweep: its points by index, and draws at random."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Any

from besom.space.parameters import MISSING, Parameter

if TYPE_CHECKING:
    from numpy.random import Generator


@dataclass(frozen=True)
class SearchSpace:
    """All parameters of a sweep, kept sorted by name at each level of nesting.

    Points are nested dicts of plain values. Time and memory of a point depend on the number of parameters only, not
    on the number of points. Raises ValueError when two parameters want the same place.
    """

    parameters: tuple[Parameter, ...]

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        # Paths compare element by element, which is the order by name within each level.
        ordered = tuple(sorted(parameters, key=lambda parameter: parameter.path))
        for one, other in pairwise(ordered):
            if one.path == other.path:
                raise ValueError(f"{one.name} is given twice: keep one of them")
            if other.path[: len(one.path)] == one.path:
                raise ValueError(f"{one.name} is a value and a group that holds {other.name}: rename one of them")
        object.__setattr__(self, "parameters", ordered)

    @property
    def swept_names(self) -> tuple[str, ...]:
        """The top-level names below which something varies, in order."""
        return tuple(dict.fromkeys(each.path[0] for each in self.parameters if not each.is_constant))

    def grid_size(self) -> int:
        """The number of grid points; raises ValueError naming a parameter that cannot be on a grid."""
        return prod(len(values) for values in self._grid)

    def grid_point(self, index: int) -> dict[str, Any]:
        """Point ``index`` of the grid: a mixed-radix counter in which the last name changes fastest."""
        return self._point(index, self._grid)

    def finite_size(self) -> int | None:
        """The number of points that random draws can reach; None: without end."""
        return None if self._finite is None else prod(len(values) for values in self._finite)

    def finite_point(self, index: int) -> dict[str, Any]:
        """Point ``index`` of those that random draws can reach; raises TypeError when they are without end."""
        if self._finite is None:
            raise TypeError("a space without end has no numbered points")
        return self._point(index, self._finite)

    def finite_values(self) -> tuple[Sequence[Any], ...] | None:
        """For each parameter, the values that random draws can reach; None as soon as one of them has no end."""
        return self._finite

    def finite_weights(self) -> tuple[Sequence[float] | None, ...]:
        """For each parameter, how likely each of its finite values is, in any unit; None: all alike."""
        return tuple(each.distribution.finite_weights() for each in self.parameters)

    def sample(self, rng: Generator) -> dict[str, Any]:
        """Independent draws for every parameter."""
        return self.at(self._uniforms(rng))

    def at(self, quantiles: Iterable[float]) -> dict[str, Any]:
        """The point whose values have these quantiles, one in (0, 1) for each parameter."""
        return self.nest(each.distribution.quantile(u) for each, u in zip(self.parameters, quantiles, strict=True))

    def sample_index(self, rng: Generator) -> int:
        """The index of the finite point that `sample` would give with the same generator."""
        return self.index_at(self._uniforms(rng))

    def index_at(self, quantiles: Iterable[float]) -> int:
        """The index of the finite point that `at` would give; raises TypeError when they are without end."""
        if self._finite is None:
            raise TypeError("a space without end has no numbered points")
        index = 0
        for each, values, u in zip(self.parameters, self._finite, quantiles, strict=True):
            index = index * len(values) + each.distribution.finite_index(u)
        return index

    def contains(self, params: Mapping[str, Any]) -> bool:
        """True if params hold, for every parameter, a value that it can have; further keys do not matter."""
        found = ((each, each.value_in(params)) for each in self.parameters)
        return all(value is not MISSING and each.distribution.contains(value) for each, value in found)

    def nest(self, values: Iterable[Any]) -> dict[str, Any]:
        """Params out of one value for each parameter, in their order; a `MISSING` one is left out."""
        params: dict[str, Any] = {}
        for each, value in zip(self.parameters, values, strict=True):
            if value is MISSING:
                continue
            group = params
            for name in each.path[:-1]:
                group = group.setdefault(name, {})
            group[each.path[-1]] = value
        return params

    @cached_property
    def _grid(self) -> tuple[Sequence[Any], ...]:
        return tuple(_grid_values(each) for each in self.parameters)

    @cached_property
    def _finite(self) -> tuple[Sequence[Any], ...] | None:
        values = [each.distribution.finite_values() for each in self.parameters]
        finite = tuple(each for each in values if each is not None)
        return finite if len(finite) == len(values) else None

    def _point(self, index: int, values: Sequence[Sequence[Any]]) -> dict[str, Any]:
        if index < 0:
            raise IndexError(f"point {index} is before the first, which is 0")
        rest = index
        chosen: list[Any] = []
        for options in reversed(values):
            rest, digit = divmod(rest, len(options))
            chosen.append(options[digit])
        if rest:
            raise IndexError(f"point {index} is beyond the last of {prod(len(each) for each in values)}")
        return self.nest(reversed(chosen))

    def _uniforms(self, rng: Generator) -> list[float]:
        """One number in (0, 1) for each parameter: 0 itself is moved up, as a normal has no value there."""
        return [max(float(u), 2.0**-54) for u in rng.random(len(self.parameters))]


def _grid_values(parameter: Parameter) -> Sequence[Any]:
    distribution = parameter.distribution
    values = distribution.grid_values()
    if values is not None:
        return values
    if distribution.kind == "categorical_w_probabilities":
        instead = "leave out `probabilities`"
    else:
        instead = "list `values`, or give `min`, `max` and a step `q` with `distribution: q_uniform`"
    raise ValueError(
        f"{parameter.name} is {distribution.kind}, which has no place on a grid: {instead}, or use `method: random`"
    )
