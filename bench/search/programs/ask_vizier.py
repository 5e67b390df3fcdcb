"""Google Vizier: its Gaussian process bandit, its default. Failures and runs under way are its own."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import jax
from conversation import Law, Params, is_maximized, laws, serve
from vizier import algorithms as vza
from vizier import pyvizier as vz
from vizier.algorithms.designers import gp_ucb_pe


class Vizier:
    """The whole search in one process, without a service."""

    def __init__(self, config: dict[str, Any], seed: int, method: str) -> None:
        jax.config.update("jax_enable_x64", True)
        self._laws = laws(config)
        problem = vz.ProblemStatement()
        for name, law in self._laws.items():
            _add(problem.search_space.root, name, law)
        goal = vz.ObjectiveMetricGoal.MAXIMIZE if is_maximized(config) else vz.ObjectiveMetricGoal.MINIMIZE
        problem.metric_information.append(vz.MetricInformation("y", goal=goal))
        self._engine = gp_ucb_pe.VizierGPUCBPEBandit(problem, rng=jax.random.PRNGKey(seed))
        self._active: dict[int, vz.Trial] = {}
        self._ended: list[vz.Trial] = []
        self.version = version("google-vizier")

    def ask(self, number: int) -> Params | None:
        active = vza.ActiveTrials(list(self._active.values()))
        self._engine.update(vza.CompletedTrials(self._ended), active)
        self._ended = []
        (suggestion,) = self._engine.suggest(1)
        self._active[number] = suggestion.to_trial(number + 1)
        values = suggestion.parameters
        return {name: _plain(values[name].value, law) for name, law in self._laws.items()}

    def tell(self, number: int, params: Params, value: float | None) -> None:
        trial = self._active.pop(number, None)
        if trial is None:
            trial = vz.Trial(id=number + 1, parameters=dict(params))
        if value is None:
            trial.complete(vz.Measurement(), infeasibility_reason="crashed")
        else:
            trial.complete(vz.Measurement(metrics={"y": value}))
        self._ended.append(trial)


def _add(root: Any, name: str, law: Law) -> None:
    if law.values is not None and isinstance(law.values[0], str):
        root.add_categorical_param(name, law.values)
    elif law.values is not None:
        root.add_discrete_param(name, law.values)
    elif law.is_whole:
        root.add_int_param(name, law.low, law.high, scale_type=_scale(law))
    elif law.q is not None:
        steps = round((law.high - law.low) / law.q)
        root.add_discrete_param(name, [law.low + i * law.q for i in range(steps + 1)])
    else:
        root.add_float_param(name, law.low, law.high, scale_type=_scale(law))


def _scale(law: Law) -> Any:
    return vz.ScaleType.LOG if law.is_log else vz.ScaleType.LINEAR


def _plain(value: Any, law: Law) -> Any:
    is_int = law.is_whole or (law.values is not None and isinstance(law.values[0], int))
    return round(value) if is_int else value


if __name__ == "__main__":
    serve(Vizier)
