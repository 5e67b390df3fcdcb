"""Optuna: TPESampler or GPSampler with its own defaults."""

from __future__ import annotations

from typing import Any

import optuna
from conversation import Law, Params, is_maximized, laws, serve
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState


class Optuna:
    """A run that crashes is told as failed. Lists of values are categories, log steps of 1 are whole numbers."""

    def __init__(self, config: dict[str, Any], seed: int, method: str) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        made = {"tpe": optuna.samplers.TPESampler, "gp": optuna.samplers.GPSampler}[method](seed=seed)
        direction = "maximize" if is_maximized(config) else "minimize"
        self._study = optuna.create_study(sampler=made, direction=direction)
        self._space = {name: _distribution(law) for name, law in laws(config).items()}
        self._trials: dict[int, Any] = {}
        self.version = optuna.__version__

    def ask(self, number: int) -> Params | None:
        trial = self._study.ask(self._space)
        self._trials[number] = trial
        return dict(trial.params)

    def tell(self, number: int, params: Params, value: float | None) -> None:
        state = TrialState.FAIL if value is None else TrialState.COMPLETE
        trial = self._trials.pop(number, None)
        if trial is not None:
            self._study.tell(trial, value, state=state)
            return
        made = optuna.trial.create_trial(params=dict(params), distributions=self._space, value=value, state=state)
        self._study.add_trial(made)


def _distribution(law: Law) -> Any:
    if law.values is not None:
        return CategoricalDistribution(law.values)
    if law.is_whole:
        return IntDistribution(law.low, law.high, log=law.is_log)
    if law.q is not None:
        return FloatDistribution(law.low, law.high, step=law.q)
    return FloatDistribution(law.low, law.high, log=law.is_log)


if __name__ == "__main__":
    serve(Optuna)
