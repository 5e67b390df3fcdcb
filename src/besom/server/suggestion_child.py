"""`python -m besom.server.suggestion_child`: chooses params, as its standard input asks, until that ends.

Each message in is a `Task`. Out: ``{"is_ready": true}`` at the start, then for a task ``{"drawn": …}`` for each draw,
and ``{"is_done": true}``, or ``{"error": …}`` in the place of what is left.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from besom.engine.ahead import Task, carry_out
from besom.search import METHODS
from besom.server.frames import pack, read
from besom.sweep_config import SweepConfig, read_sweep_config

# Requests come first where there are few cores.
NICE = 5
# After so much work (of this process alone) a model takes the best that it has found.
BUDGET_S = 1.0


class Budget:
    """The work of this process since the budget was renewed."""

    def __init__(self) -> None:
        self._begun = time.process_time()

    def renew(self) -> None:
        """Begins anew."""
        self._begun = time.process_time()

    def is_spent(self) -> bool:
        """True after `BUDGET_S`."""
        return time.process_time() - self._begun > BUDGET_S


class Chooser:
    """Keeps the config that it has read last: most tasks in a row are of one sweep."""

    def __init__(self) -> None:
        self._raw: Any = None
        self._config: SweepConfig | None = None

    def answers(self, message: Any) -> Iterator[dict[str, Any]]:
        """The messages that a task is answered with; a mistake of ours is one of them."""
        try:
            task = msgspec.convert(message, Task)
            budget = Budget()
            for drawn in carry_out(task, self._read(task.config), budget.is_spent):
                yield {"drawn": drawn}
                budget.renew()
        except Exception as error:
            yield {"error": f"{type(error).__name__}: {error}"}
        else:
            yield {"is_done": True}

    def _read(self, raw: Any) -> SweepConfig:
        if self._config is None or raw != self._raw:
            self._raw, self._config = raw, read_sweep_config(raw)
        return self._config


def main() -> None:
    """Serves until its input ends, which it does with the server."""
    os.nice(NICE)
    # What a first task would wait for.
    for name in METHODS:
        METHODS[name]
    chooser = Chooser()
    _send({"is_ready": True})
    while (message := read(sys.stdin.buffer)) is not None:
        for answer in chooser.answers(message):
            _send(answer)


def _send(message: Any) -> None:
    sys.stdout.buffer.write(pack(message))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
