"""What starts a run's child: a program (`program`), or calls of a Python function (`function`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from besom.agents.environment import RunFacts
from besom.agents.exit_codes import Ending
from besom.agents.guard import Guard
from besom.agents.process import Child


class CannotStart(Exception):
    """The child cannot be started; the text is a sentence for the user."""


class Starter(Protocol):
    """Knows how to start a run. ``function``: it needs no program of the sweep."""

    function: bool

    def check(self, sweep: Mapping[str, Any]) -> Ending | None:
        """Before the first run is taken: an ending if no run can start here."""
        ...

    def describe(self, name: str, params: Mapping[str, Any]) -> str | None:
        """The command as it may be shown; None where there is none."""
        ...

    def start(self, run: RunFacts, log: Path, guard: Guard, on_trouble: Callable[[str], None]) -> Child:
        """Starts the run; raises CannotStart."""
        ...

    def advice(self, words: Sequence[str]) -> str:
        """What may help a run that failed with these last words; empty: nothing to say."""
        ...

    def close(self) -> None:
        """Ends what was kept warm."""
        ...
