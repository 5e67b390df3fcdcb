"""Points that may be worth a run: even ones over the whole space, and mutations of good ones."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from besom.space.encoding import Encoding

Array = NDArray[np.float64]

WIDEST = 0.3  # of the steps of a mutation
DECADES = 1.5
BEYOND = 1e-9  # a border: the next cell
LEAST_REDRAWN = 0.25  # how often a category changes at least


def mutated(parents: Array, count: int, encoding: Encoding, rng: Generator, radius: float | None = None) -> Array:
    """``count`` mutations of each of k parents (k, D), snapped: (k · count, D).

    Half of them change few coordinates, two on average, the others most. Steps are normal, of one radius a mutation:
    ``radius``, or one from 0.3 down to a hundredth, evenly by its logarithm. They are reflected at the borders, and
    on a grid go at least to the next cell.
    """
    base = np.repeat(parents, count, axis=0)
    size, dimension = base.shape
    if dimension == 0:
        return base
    radii = WIDEST * 10.0 ** (-DECADES * rng.random(size)) if radius is None else np.full(size, radius)
    rate = np.where(np.arange(size) % 2 == 0, min(1.0, 2.0 / dimension), 0.6)
    rates = np.where(encoding.is_category, np.maximum(rate[:, None], LEAST_REDRAWN), rate[:, None])
    chosen = rng.random((size, dimension)) < rates
    chosen[np.arange(size), rng.integers(0, dimension, size)] = True
    steps = rng.standard_normal((size, dimension)) * radii[:, None]
    for j in np.flatnonzero((encoding.cells > 0) & ~encoding.is_category).tolist():
        steps[:, j] = _out_of_cell(steps[:, j], base[:, j], *encoding.borders(j, np.nan_to_num(base[:, j], nan=0.5)))
    moved = base + steps
    moved = 1.0 - np.abs(1.0 - np.abs(moved) % 2.0)
    redrawn = np.floor(rng.random((size, dimension)) * encoding.cells)
    moved = np.where(encoding.is_category, redrawn, moved)
    # What has no value in its parent has none in the child.
    return encoding.snap(np.where(chosen & ~np.isnan(base), moved, base))


def _out_of_cell(steps: Array, x: Array, low: Array, high: Array) -> Array:
    least = np.where(steps < 0.0, x - low, high - x) + BEYOND
    return np.copysign(np.maximum(np.abs(steps), least), steps)
