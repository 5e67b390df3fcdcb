"""Samples become figures: contenders take turns, medians speak for rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any

Sample = dict[str, Any]


def turns(names: Sequence[str], rounds: int) -> Iterator[str]:
    """Every name once a round; every second round backwards, so that nobody always comes first."""
    for number in range(rounds):
        yield from names if number % 2 == 0 else reversed(names)


def interleaved(contenders: Mapping[str, Callable[[], Sample]], rounds: int) -> dict[str, list[Sample]]:
    """The samples of each contender, taken in turns, so that a slow minute of the machine hits all alike."""
    samples: dict[str, list[Sample]] = {name: [] for name in contenders}
    for name in turns(list(contenders), rounds):
        samples[name].append(contenders[name]())
    return samples


class Medians:
    """The median of a contender's figure over its samples; None for a contender or figure that was left out."""

    def __init__(self, samples: Mapping[str, Sequence[Sample]]) -> None:
        self._samples = samples

    def __call__(self, contender: str, figure: str) -> float | None:
        """The median, in the figure's own unit."""
        values = [sample.get(figure) for sample in self._samples.get(contender, ())]
        known = [value for value in values if isinstance(value, (int, float))]
        return median(known) if known else None
