"""Ax: its `Client` with its own choice of methods. A crash is an abandoned trial: a failed one it suggests again."""

from __future__ import annotations

import logging
from importlib.metadata import version
from typing import Any

from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig
from conversation import Law, Params, is_maximized, laws, serve


class Ax:
    """Lists of values are unordered choices, unless they are numbers that rise."""

    def __init__(self, config: dict[str, Any], seed: int, method: str) -> None:
        logging.getLogger("ax").setLevel(logging.ERROR)
        self._client = Client(random_seed=seed)
        self._client.configure_experiment(parameters=[_parameter(name, law) for name, law in laws(config).items()])
        self._client.configure_optimization(objective="y" if is_maximized(config) else "-y")
        self._trials: dict[int, int] = {}
        self.version = version("ax-platform")

    def ask(self, number: int) -> Params | None:
        (index, params), *_ = self._client.get_next_trials(max_trials=1).items()
        self._trials[number] = index
        return dict(params)

    def tell(self, number: int, params: Params, value: float | None) -> None:
        index = self._trials.pop(number, None)
        if index is None:
            index = self._client.attach_trial(parameters=dict(params))
        if value is None:
            self._client.mark_trial_abandoned(trial_index=index)
        else:
            self._client.complete_trial(trial_index=index, raw_data={"y": value})


def _parameter(name: str, law: Law) -> Any:
    if law.values is not None:
        kind = "int" if isinstance(law.values[0], int) else "str"
        return ChoiceParameterConfig(name=name, values=law.values, parameter_type=kind, is_ordered=kind == "int")
    return RangeParameterConfig(
        name=name,
        bounds=(law.low, law.high),
        parameter_type="int" if law.is_whole else "float",
        step_size=None if law.is_whole else law.q,
        scaling="log" if law.is_log else "linear",
    )


if __name__ == "__main__":
    serve(Ax)
