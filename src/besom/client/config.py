"""A run's config: what the sweep chose, locked, and what the script adds.

Reading under a sweep is remembered (`reads`), so that values which nobody took can be told.
"""

from __future__ import annotations

import sys
from _collections_abc import Mapping

from besom.client.reads import Reads
from besom.client.say import warn
from besom.client.values import Unrecorded, jsonable, merge
from besom.errors import ConfigError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Changed = Callable[[dict[str, Any]], None]


class ConfigState:
    """The values behind a `Config`. ``on_change`` is told the whole new value of each changed key."""

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        locked: Mapping[str, Any] | None = None,
        reads: Reads | None = None,
        on_change: Changed | None = None,
        allow_val_change: bool | None = None,
    ) -> None:
        self.values = dict(values or {})
        self.locked = dict(locked or {})
        self.reads = reads
        self.on_change = on_change
        self.allow_val_change = in_notebook() if allow_val_change is None else allow_val_change

    def note(self, key: str) -> None:
        """A key was read."""
        if self.reads is not None:
            self.reads.note(key)

    def note_all(self) -> None:
        """Everything was read."""
        if self.reads is not None:
            self.reads.note_all()

    def change(self, given: Mapping[str, Any], allow_val_change: bool | None) -> None:
        """Applies values of the script; raises ConfigError for a changed one, before anything is applied."""
        allowed = self.allow_val_change if allow_val_change is None else allow_val_change
        changed: dict[str, Any] = {}
        for name, value in given.items():
            key = str(name).strip("-")
            if key in self.locked:
                if value != self.locked[key]:
                    warn(f"Config item '{key}' was locked by 'sweep' (ignored update).")
                continue
            if key in self.values and not allowed and not _equal(self.values[key], value):
                raise ConfigError(
                    f'Attempted to change value of key "{key}" from {self.values[key]!r} to {value!r}: write '
                    "config.update({...}, allow_val_change=True) if this is meant"
                )
            if key not in self.values or not _equal(self.values[key], value):
                changed[key] = value
        self.values.update(changed)
        if changed and self.on_change is not None:
            self.on_change(changed)


class Config(Mapping[str, "Any"]):
    """The config of a run, by item (``config["lr"]``), attribute (``config.lr``) or as a mapping.

    Values of the sweep are locked: a change is ignored with a warning. Another key may be set once; a different
    value later raises ConfigError unless ``allow_val_change=True``. Names that start with ``_`` are hidden from
    iteration. A copy or a pickle is a `Config` of its own with the same values, which records nothing.
    """

    __slots__ = ("_state",)
    _state: ConfigState

    def __init__(self, state: ConfigState | None = None) -> None:
        object.__setattr__(self, "_state", state or ConfigState())

    def __getitem__(self, key: str) -> Any:
        state = self._state
        value = state.values[key]
        state.note(key)
        return value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            known = ", ".join(sorted(self._state.values)) or "nothing yet"
            raise AttributeError(f"the config has no {name!r}: it holds {known}") from None

    def __setitem__(self, key: str, value: Any) -> None:
        self._state.change({key: _value(value)}, None)

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __iter__(self) -> Iterator[str]:
        self._state.note_all()
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def __contains__(self, key: object) -> bool:
        return key in self._state.values

    def __repr__(self) -> str:
        return repr({name: self._state.values[name] for name in self._names()})

    def __reduce__(self) -> tuple[Any, ...]:
        self._state.note_all()
        return _detached, (dict(self._state.values), dict(self._state.locked))

    def __deepcopy__(self, memo: dict[int, Any]) -> Config:
        return _detached(merge(self.as_dict(), {}), dict(self._state.locked))

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        # So that vars(config) works as it does for argparse's namespaces.
        return self.as_dict()

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary of all values."""
        self._state.note_all()
        return {name: self._state.values[name] for name in self._names()}

    def update(self, d: Any = None, allow_val_change: bool | None = None, **more: Any) -> None:
        """Sets several values: a mapping, an argparse namespace, absl flags or the path of a YAML file."""
        self._state.change({**as_config(d), **as_config(more)}, allow_val_change)

    def setdefaults(self, d: Any) -> None:
        """Sets the values whose keys are not there yet."""
        values = self._state.values
        self._state.change({key: value for key, value in as_config(d).items() if key.strip("-") not in values}, None)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of ``key``, set to ``default`` if it was not there."""
        self.setdefaults({key: default})
        return self[key.strip("-")]

    def update_locked(self, d: Mapping[str, Any], user: str | None = None) -> None:
        """Sets values and locks them against the script (W&B's name for what a sweep does)."""
        values = {key: _value(value) for key, value in d.items()}
        state = self._state
        state.values.update(values)
        state.locked.update(values)
        if state.on_change is not None:
            state.on_change(values)

    def _names(self) -> list[str]:
        return [name for name in self._state.values if not name.startswith("_")]


def _detached(values: dict[str, Any], locked: dict[str, Any]) -> Config:
    return Config(ConfigState(values, locked=locked))


def as_config(given: Any) -> dict[str, Any]:
    """A plain dictionary of JSON-like values out of whatever scripts pass as a config.

    A mapping, an argparse namespace, absl flags, a dataclass, or the path of a YAML or JSON file; None is empty.
    Raises UsageError for anything else.
    """
    if given is None:
        return {}
    if isinstance(given, (str, bytes)) or hasattr(given, "__fspath__"):
        from besom.client.config_files import read_config_file

        return read_config_file(given)
    if isinstance(given, Mapping):
        found: Any = given
    elif callable(getattr(given, "flag_values_dict", None)):
        found = given.flag_values_dict()
    elif hasattr(type(given), "__dataclass_fields__") and not isinstance(given, type):
        found = {name: getattr(given, name) for name in type(given).__dataclass_fields__}
    elif hasattr(given, "__dict__") and not isinstance(given, type) and not callable(given):
        found = vars(given)
    else:
        raise UsageError(
            f"a config cannot be made of {type(given).__name__} {given!r}: pass a dictionary, an argparse namespace "
            "or the path of a YAML file"
        )
    return {str(key): _value(value) for key, value in found.items() if not isinstance(value, Unrecorded)}


def _value(value: Any) -> Any:
    return jsonable(value)


def _equal(value: Any, other: Any) -> bool:
    # nan is the same setting as nan.
    return bool(value == other) or (value != value and other != other)


def in_notebook() -> bool:
    """True under IPython and Jupyter, where cells run twice and values change."""
    return hasattr(sys.modules.get("builtins"), "__IPYTHON__")
