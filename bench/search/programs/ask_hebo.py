"""HEBO. It knows neither failures nor runs under way: a crash is told as the worst value so far."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
import torch
from conversation import Law, Params, is_maximized, laws, serve
from hebo.design_space.design_space import DesignSpace
from hebo.optimizers.hebo import HEBO


class Hebo:
    """Crashes before the first value wait for it."""

    def __init__(self, config: dict[str, Any], seed: int, method: str) -> None:
        np.random.seed(seed)  # noqa: TID251
        torch.manual_seed(seed)
        self._laws = laws(config)
        space = DesignSpace().parse([_parameter(name, law) for name, law in self._laws.items()])
        self._engine = HEBO(space, scramble_seed=seed)
        self._sign = -1.0 if is_maximized(config) else 1.0
        self._worst: float | None = None
        self._waiting: list[Params] = []
        self.version = version("HEBO")

    def ask(self, number: int) -> Params | None:
        row = self._engine.suggest(n_suggestions=1).iloc[0].to_dict()
        return {name: _plain(row[name], law) for name, law in self._laws.items()}

    def tell(self, number: int, params: Params, value: float | None) -> None:
        if value is None and self._worst is None:
            self._waiting.append(params)
            return
        loss = self._worst if value is None else self._sign * value
        assert loss is not None
        self._worst = loss if self._worst is None else max(self._worst, loss)
        for each, its in [(params, loss), *((waiting, self._worst) for waiting in self._waiting)]:
            row = {name: _step(each[name], law) for name, law in self._laws.items()}
            self._engine.observe(pd.DataFrame([row]), np.array([[its]]))
        self._waiting.clear()


def _parameter(name: str, law: Law) -> dict[str, Any]:
    if law.values is not None:
        return {"name": name, "type": "cat", "categories": law.values}
    if law.is_whole:
        kind = "pow_int" if law.is_log else "int"
        base = {"base": 10} if law.is_log else {}
        return {"name": name, "type": kind, "lb": law.low, "ub": law.high, **base}
    if law.q is not None:
        return {"name": name, "type": "int", "lb": round(law.low / law.q), "ub": round(law.high / law.q)}
    if law.is_log:
        return {"name": name, "type": "pow", "lb": law.low, "ub": law.high, "base": 10}
    return {"name": name, "type": "num", "lb": law.low, "ub": law.high}


def _is_stepped(law: Law) -> bool:
    return law.q is not None and not law.is_whole


def _plain(value: Any, law: Law) -> Any:
    if _is_stepped(law):
        return round(value) * law.q
    value = value.item() if hasattr(value, "item") else value
    return round(value) if law.is_whole and law.values is None else value


def _step(value: Any, law: Law) -> Any:
    return round(value / law.q) if _is_stepped(law) else value


if __name__ == "__main__":
    serve(Hebo)
