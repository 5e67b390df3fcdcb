"""W&B's `sweeps` library, `method: bayes`: it is told all runs at every ask, those under way as running."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
import sweeps
from conversation import Params, serve


class Sweeps:
    """It draws from NumPy's global random numbers, which are seeded once."""

    def __init__(self, config: dict[str, Any], seed: int, method: str) -> None:
        self._config = sweeps.config.SweepConfig({**config, "method": "bayes"})
        np.random.seed(seed)  # noqa: TID251
        self._runs: dict[int, sweeps.SweepRun] = {}
        self.version = version("sweeps")

    def ask(self, number: int) -> Params | None:
        run = sweeps.next_run(self._config, list(self._runs.values()))
        if run is None:
            return None
        params = {name: given["value"] for name, given in run.config.items()}
        self._runs[number] = self._run(number, params, sweeps.RunState.running)
        return params

    def tell(self, number: int, params: Params, value: float | None) -> None:
        state = sweeps.RunState.crashed if value is None else sweeps.RunState.finished
        self._runs[number] = self._run(number, params, state, {} if value is None else {"y": value})

    def _run(self, number: int, params: Params, state: Any, summary: Params | None = None) -> sweeps.SweepRun:
        config = {name: {"value": value} for name, value in params.items()}
        seen = dict(summary or {})
        return sweeps.SweepRun(
            name=str(number), config=config, state=state, summaryMetrics=seen, history=[seen] if seen else []
        )


if __name__ == "__main__":
    serve(Sweeps)
