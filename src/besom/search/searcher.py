"""The seam that every search method fits: a searcher can be dropped at any time and rebuilt from stored runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Observation:
    """What a run told: its params, its score as a loss (smaller is better; None: no value) and its state."""

    number: int
    params: Params
    loss: float | None
    state: str


class Searcher(Protocol):
    """Chooses params. May be dropped at any time and rebuilt by telling it the stored runs in order."""

    def tell(self, observation: Observation) -> None:
        """Takes in what a run showed."""

    def ask(self, number: int, pending: Sequence[Params]) -> Params | None:
        """The params of draw ``number`` (from 0); None when the space is exhausted.

        ``number`` fixes the random stream: draw 17 of seed 3 is the same after a restart and with any number of
        agents.
        """

    def size(self) -> int | None:
        """How many draws there are before the space is exhausted; None: no end."""
