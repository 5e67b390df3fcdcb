"""The search space as a model sees it: params as vectors of coordinates, and back to values that can really run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from besom.space.column import Column
from besom.space.columns import make_column
from besom.space.identity import identity
from besom.space.parameters import MISSING, Parameter
from besom.space.search_space import SearchSpace

Floats = NDArray[np.float64]

# What fits an int64.
_MOST_POINTS = 2**62


class Encoding:
    """A column for each parameter that can have two or more values, in the order of the space: see ``parameters``.

    A coordinate is a number in 0 … 1, or the index of a category, which is compared by equality alone. Arrays of
    points are (n, D) with D = ``dimension``. NaN in a column means that the parameter is not active: it stays NaN, and
    its value is left out of the params. Columns whose values are countable hold few coordinates: those that `snap`
    gives. They are exact up to 2^50 values evenly apart, and 2^40 steps of a logarithmic kind.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        columns = [make_column(each.distribution) for each in space.parameters]
        # The one value of a parameter without a column.
        self._fixed = [
            each.distribution.quantile(0.5) if column is None else MISSING
            for each, column in zip(space.parameters, columns, strict=True)
        ]
        self._places = [place for place, column in enumerate(columns) if column is not None]
        self._columns: list[Column] = [column for column in columns if column is not None]
        self.parameters: tuple[Parameter, ...] = tuple(space.parameters[place] for place in self._places)
        self.dimension = len(self._columns)
        self.is_category: NDArray[np.bool_] = np.array([each.is_category for each in self._columns], dtype=np.bool_)
        self.cells: NDArray[np.int64] = np.array([each.cells for each in self._columns], dtype=np.int64)

    def encode(self, params: Mapping[str, Any]) -> Floats | None:
        """The coordinates of params, (D,); None if a parameter is missing, or is no number where one is needed.

        Numbers outside of the range are clipped, those between two steps lie between them. A category that is not
        listed gets an index of its own from n on, the same whenever this encoding meets it again.
        """
        x = np.empty(self.dimension)
        for j, (parameter, column) in enumerate(zip(self.parameters, self._columns, strict=True)):
            value = parameter.value_in(params)
            coordinate = None if value is MISSING else column.coordinate(value)
            if coordinate is None:
                return None
            x[j] = coordinate
        return x

    def decode(self, x: Floats) -> dict[str, Any]:
        """The whole params of a point (D,), constants included, after snapping."""
        values = list(self._fixed)
        for place, column, coordinate in zip(self._places, self._columns, x.tolist(), strict=True):
            values[place] = MISSING if math.isnan(coordinate) else column.value(coordinate)
        return self.space.nest(values)

    def snap(self, x: Floats) -> Floats:
        """Points (n, D) moved to the coordinates of the nearest values that can be reached.

        A category that is not listed becomes the last one.
        """
        snapped = np.full(x.shape, np.nan)
        for j, column in enumerate(self._columns):
            active = ~np.isnan(x[:, j])
            snapped[active, j] = column.snap(x[active, j])
        return snapped

    def from_unit(self, u: Floats) -> Floats:
        """Snapped points (n, D) by the parameters' own laws from quantiles (n, D), each in (0, 1)."""
        points = [column.from_unit(u[:, j]) for j, column in enumerate(self._columns)]
        return np.column_stack(points) if points else np.empty((len(u), 0))

    def sample(self, rng: Generator, count: int) -> Floats:
        """Independent draws (count, D) by the parameters' own laws, snapped."""
        # 0 itself is moved up, as a normal has no value there.
        return self.from_unit(np.maximum(rng.random((count, self.dimension)), 2.0**-54))

    def category_weights(self, j: int) -> Floats:
        """The probabilities of the categories, or of the listed numbers, of column j; TypeError for other columns."""
        return self._columns[j].weights()

    def borders(self, j: int, x: Floats) -> tuple[Floats, Floats]:
        """Where the cells around coordinates (n,) of column j begin and end; TypeError where there are none."""
        return self._columns[j].borders(x)

    def size(self) -> int | None:
        """The number of distinct points; None without end, or beyond 2^62 of them."""
        size = self.space.finite_size()
        return None if size is None or size > _MOST_POINTS else size

    def all_points(self) -> Floats:
        """Every point, (size, D), the last column changing fastest. Raises TypeError for a space without end."""
        if self.size() is None:
            raise TypeError("a space without end has no list of its points")
        axes = [column.at(np.arange(column.cells, dtype=np.float64)) for column in self._columns]
        if not axes:
            return np.empty((1, 0))
        return np.stack([each.ravel() for each in np.meshgrid(*axes, indexing="ij")], axis=1)

    def keys(self, x: Floats) -> list[bytes]:
        """For each point of (n, D), what is equal for points that are the same after snapping, and else differs.

        Continuous coordinates are the same when they agree to 9 digits; a category that is not listed is no other.
        """
        codes = np.full(x.shape, -1, dtype=np.int64)
        for j, column in enumerate(self._columns):
            active = ~np.isnan(x[:, j])
            codes[active, j] = column.code(x[active, j])
        return [row.tobytes() for row in codes]

    def key(self, x: Floats) -> bytes:
        """The key of one point (D,)."""
        return self.keys(x[np.newaxis])[0]

    def key_of(self, params: Mapping[str, Any]) -> bytes | None:
        """The key of the point that params are; None if they are none that can be drawn, however near it lies."""
        x = self.encode(params) if self.space.contains(params) else None
        if x is None:
            return None
        for parameter, column, coordinate in zip(self.parameters, self._columns, x.tolist(), strict=True):
            if column.cells and identity(column.value(coordinate)) != identity(parameter.value_in(params)):
                return None
        return self.key(x)
