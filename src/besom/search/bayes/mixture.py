"""How often a suggestion comes from the Parzen estimator in place of the Gaussian process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mixture:
    """An insurance against objectives that are nothing like a Gaussian process.

    The share is ``parzen``, and falls as 30/n from 30 runs on. With ``adaptive`` it is the less the better the process
    foretells the order of runs that it is not told of.
    """

    parzen: float = 0.3
    adaptive: bool = False
    runs: int = 30

    def share(self, runs: int, agreement: Callable[[], float]) -> float:
        """The probability after so many runs; ``agreement`` is the rank correlation of foretold and true losses."""
        share = self.parzen * min(1.0, self.runs / max(runs, 1))
        return share * (1.0 - max(0.0, agreement())) if self.adaptive else share
