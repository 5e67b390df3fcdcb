"""A run's summary: the last logged value of each name, unless `define_metric` or the script says otherwise."""

from __future__ import annotations

from _collections_abc import MutableMapping

from besom.client.definitions import Aggregates, Definitions
from besom.client.spool import Kind
from besom.client.values import Unrecorded, jsonable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    Changed = Callable[[dict[str, Any], list[str]], None]


class SummaryState:
    """The values behind a `Summary`.

    Logged rows are kept packed and are unpacked when somebody looks, so that `log` pays nothing for the summary.
    ``on_change`` is told what the script sets and deletes by hand.
    """

    def __init__(self, definitions: Definitions | None = None, on_change: Changed | None = None) -> None:
        self.definitions = Definitions() if definitions is None else definitions
        self.on_change = on_change
        self._values: dict[str, Any] = {}
        self._recent: dict[Kind, bytes] = {}
        self._newest: Kind | None = None
        self._aggregates: dict[str, Aggregates] = {}

    def packed(self, kind: Kind, row: bytes) -> None:
        """A row of numbers was logged of which no definition speaks."""
        if kind is not self._newest:
            # The newest row goes last, so that unpacking in order lets it win.
            self._recent.pop(kind, None)
            self._newest = kind
        self._recent[kind] = row

    def logged(self, data: Mapping[str, Any]) -> None:
        """A row of JSON-like values was logged."""
        self._settle()
        if not self.definitions:
            self._values.update(data)
            return
        for key, value in data.items():
            definition = self.definitions.of(key)
            if definition is None or not definition.summary:
                self._values[key] = value
            elif "none" not in definition.summary:
                kept = self._aggregates.setdefault(key, Aggregates(definition.summary))
                kept.words = definition.summary
                kept.add(value)
                self._values[key] = kept.summary()

    def values(self) -> dict[str, Any]:
        """Everything, newest values."""
        self._settle()
        return self._values

    def _settle(self) -> None:
        if not self._recent:
            return
        recent, self._recent, self._newest = self._recent, {}, None
        for kind, row in recent.items():
            self._values.update(kind.values(row))


class Summary(MutableMapping[str, "Any"]):
    """``run.summary``: a mapping, with attributes for its names; what the script writes wins over what it logged."""

    __slots__ = ("_state",)
    _state: SummaryState

    def __init__(self, state: SummaryState | None = None) -> None:
        object.__setattr__(self, "_state", state or SummaryState())

    def __getitem__(self, key: str) -> Any:
        return self._state.values()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._change({key: value})

    def __delitem__(self, key: str) -> None:
        state = self._state
        del state.values()[key]
        if state.on_change is not None:
            state.on_change({}, [key])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the summary has no {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._state.values()))

    def __len__(self) -> int:
        return len(self._state.values())

    def __repr__(self) -> str:
        return repr(self._state.values())

    def update(self, d: Any = (), /, **more: Any) -> None:
        """Sets several values by hand."""
        self._change({**dict(d), **more})

    def _change(self, given: Mapping[str, Any]) -> None:
        values = {str(key): jsonable(value) for key, value in given.items() if not isinstance(value, Unrecorded)}
        state = self._state
        state.values().update(values)
        if state.on_change is not None:
            state.on_change(values, [])
