"""How much a suggestion computes, by the numbers of runs and coordinates: a table and no clock.

A clock would make answers depend on how busy the machine was.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent on one suggestion.

    ``fitted`` and ``modelled`` are the most runs that hyperparameters are fitted to and predictions made from.
    """

    fitted: int = 250
    modelled: int = 400
    labelled: int = 150
    starts: int = 2
    iterations: int = 40
    draws: int = 4
    even: int = 512
    mutations: int = 64
    ascents: int = 4
    steps: int = 30


def budget(runs: int, dimension: int) -> Budget:
    """The row for so many runs (pending ones included) and coordinates."""
    work = runs * max(1.0, dimension / 10.0) ** 0.5
    if work <= 100:
        return Budget()
    if work <= 200:
        return Budget(draws=4)
    return Budget(draws=0, starts=1, steps=20)
