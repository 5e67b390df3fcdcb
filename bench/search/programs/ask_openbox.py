"""OpenBox: its advisor with its own choice of model, and the asynchronous one when runs are under way."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from conversation import Law, Params, is_maximized, laws, serve
from openbox import Advisor, Observation
from openbox import space as sp
from openbox.utils.constants import FAILED, SUCCESS


class OpenBox:
    """It minimizes. A crash is told as failed, with a value that it ignores."""

    def __init__(self, config: dict[str, Any], seed: int, method: str) -> None:
        self._laws = laws(config)
        self._space = sp.Space()
        self._space.add_variables([_variable(name, law) for name, law in self._laws.items()])
        self._advisor = Advisor(self._space, num_objectives=1, random_state=seed, logger_kwargs={"level": "ERROR"})
        self._sign = -1.0 if is_maximized(config) else 1.0
        self.version = version("openbox")

    def ask(self, number: int) -> Params | None:
        values = self._advisor.get_suggestion().get_dictionary()
        return {name: _plain(values[name], law) for name, law in self._laws.items()}

    def tell(self, number: int, params: Params, value: float | None) -> None:
        own = {name: _own(each, self._laws[name]) for name, each in params.items()}
        point = sp.Configuration(self._space, values=own)
        state = FAILED if value is None else SUCCESS
        objectives = None if value is None else [self._sign * value]
        self._advisor.update_observation(Observation(config=point, objectives=objectives, trial_state=state))


def _variable(name: str, law: Law) -> Any:
    if law.values is not None:
        numbers = isinstance(law.values[0], int)
        return sp.Ordinal(name, law.values) if numbers else sp.Categorical(name, law.values)
    if law.is_whole:
        return sp.Int(name, law.low, law.high, log=law.is_log)
    if law.q is not None:
        return sp.Real(name, law.low, law.high, q=law.q)
    return sp.Real(name, law.low, law.high, log=law.is_log)


def _plain(value: Any, law: Law) -> Any:
    return value.item() if hasattr(value, "item") else value


def _own(value: Any, law: Law) -> Any:
    return value


if __name__ == "__main__":
    serve(OpenBox)
