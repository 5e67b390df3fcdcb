"""The seam that every search method fits: a searcher can be dropped at any time and rebuilt from stored runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Observation:
    """What a run told: its params, its score as a loss (smaller is better; None: no value) and its state.

    ``number`` is the draw that the run was made of; runs that were made otherwise (prior runs) have numbers below 0,
    so that a number names one run. Telling a number again replaces what was told of it. ``length`` counts the finite
    values of the metric that the run has logged, and ``rungs`` holds the best loss up to some of these counts,
    ``(count, loss)``, counts rising: what is left of the curve of a run that was stopped early.
    """

    number: int
    params: Params
    loss: float | None
    state: str
    length: int = 0
    rungs: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class SearchInfo:
    """Why a model has suggested its params. Values are losses, in the metric's unit but for the sign of the goal.

    ``source`` says which part has made it: ``initial``, ``model``, ``parzen`` or ``random``. ``best`` is the number
    of the run that the model takes for the best, where that is not the best observed one. ``seen`` are the numbers of
    the runs that it saw, pending ones included.
    """

    source: str
    success_probability: float | None = None
    predicted_value: float | None = None
    predicted_value_std_dev: float | None = None
    expected_improvement: float | None = None
    best: int | None = None
    seen: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Params for a run, and for methods that look at results how they came about."""

    params: Params
    info: SearchInfo


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


class ModelSearcher(Searcher, Protocol):
    """A searcher that looks at results, so that its answers take time: a fraction of a second of computing.

    Runs under way may be told too (states ``running``, ``queued``, ``preempted``, with their best loss so far): they
    are pending like those given to `ask`, which is `suggest` without the reasons.
    """

    def suggest(
        self, number: int, pending: Sequence[Params], out_of_time: Callable[[], bool] = lambda: False
    ) -> Suggestion | None:
        """The params of draw ``number`` with their reasons; None when the space is exhausted.

        When ``out_of_time`` turns true the best answer up to then is given, and ``info.warnings`` says so.
        """
