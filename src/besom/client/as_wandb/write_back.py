"""Gives the sweep's values back to scripts that pass their dictionary to W&B and go on with the dictionary.

``wandb.config.update(cfg)`` is ignored for the sweep's keys, so a script that then trains from ``cfg`` trains the
same network every time. Under a sweep the values are therefore written into ``cfg`` too.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

from besom.client.config import Config
from besom.client.say import say
from besom.client.settings import is_on, rank

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class WandbConfig(Config):
    """The config, whose `update` also writes the sweep's values back into a plain dictionary."""

    __slots__ = ()

    def update(self, d: Any = None, allow_val_change: bool | None = None, **more: Any) -> None:
        """Sets several values: see `Config.update`; under a sweep ``d`` gets the sweep's values."""
        # First: what has the sweep's value already needs no word about being locked.
        write_back(d, self, "config.update()")
        super().update(d, allow_val_change, **more)


def write_back(given: Any, config: Config, call: str) -> None:
    """Writes locked values into the dictionary ``given`` where it has their keys, nested ones too, with one line."""
    state = config._state
    if not isinstance(given, dict) or not state.locked or not is_on("BESOM_WRITE_BACK"):
        return
    changed: list[str] = []
    for key, value in state.locked.items():
        if key in given:
            state.note(key)
            _put(given, key, value, "", changed)
    if changed and rank() == 0:
        say(
            f"the sweep's values were written into the dictionary given to {call}: {', '.join(changed)} "
            "(BESOM_WRITE_BACK=0 turns this off)"
        )


def _put(target: dict[Any, Any], key: str, value: Any, above: str, changed: list[str]) -> None:
    old = target.get(key)
    if isinstance(old, dict) and isinstance(value, Mapping):
        for inner, item in value.items():
            _put(old, inner, item, f"{above}{key}.", changed)
    elif old != value or type(old) is not type(value):
        target[key] = copy.deepcopy(value)
        changed.append(f"{above}{key}={value!r}")
