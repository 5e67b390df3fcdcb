"""Besom's searchers, without a server."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from conversation import Params, is_maximized, serve

from besom.search import Observation, make_searcher
from besom.sweep_config import read_sweep_config


class Besom:
    """The seed of the searcher is that of the search. Runs under way are given with every ask."""

    def __init__(self, config: dict[str, Any], seed: int, method: str) -> None:
        space = read_sweep_config({**config, "method": "random"}).space
        self._searcher: Any = make_searcher(method, space, seed=seed)
        self._sign = -1.0 if is_maximized(config) else 1.0
        self._pending: dict[int, Params] = {}
        self.version = _fingerprint()

    def ask(self, number: int) -> Params | None:
        params: Params | None = self._searcher.ask(number, list(self._pending.values()))
        if params is not None:
            self._pending[number] = params
        return params

    def tell(self, number: int, params: Params, value: float | None) -> None:
        self._pending.pop(number, None)
        loss = None if value is None else self._sign * value
        self._searcher.tell(Observation(number, params, loss, "crashed" if value is None else "finished"))


def _fingerprint() -> str:
    """Names the code of search and space: figures belong to one state of it."""
    import besom.search
    import besom.space

    found = hashlib.sha256()
    for room in (besom.search, besom.space):
        folder = Path(room.__file__).parent
        for file in sorted(folder.rglob("*.py")):
            found.update(str(file.relative_to(folder)).encode() + file.read_bytes())
    return found.hexdigest()[:12]


if __name__ == "__main__":
    serve(Besom)
