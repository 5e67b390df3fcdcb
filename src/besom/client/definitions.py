"""What `define_metric` says of logged names: their x axis and what the summary keeps of them."""

from __future__ import annotations

import math

from besom.client.say import warn_once
from besom.common.json_numbers import as_number
from besom.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

AGGREGATES = ("min", "max", "mean", "last", "first", "none")


class Definition:
    """One call of `define_metric`. ``name`` may end with ``*``; ``summary`` holds words of AGGREGATES."""

    __slots__ = ("hidden", "name", "step_metric", "step_sync", "summary")

    def __init__(
        self,
        name: str,
        step_metric: str | None = None,
        step_sync: bool = False,
        hidden: bool = False,
        summary: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.step_metric = step_metric
        self.step_sync = step_sync
        self.hidden = hidden
        self.summary = summary

    def matches(self, key: str) -> bool:
        """True if the definition speaks of this key."""
        if self.name.endswith("*"):
            return key.startswith(self.name[:-1])
        return key == self.name

    def record(self) -> dict[str, Any]:
        """The body of the spool's ``define`` record."""
        return {
            "name": self.name,
            "step_metric": self.step_metric,
            "summary": list(self.summary),
            "hidden": self.hidden,
        }


def define(
    name: str,
    step_metric: Any = None,
    step_sync: bool | None = None,
    hidden: bool | None = None,
    summary: str | None = None,
    goal: str | None = None,
) -> Definition:
    """Checks the arguments of `define_metric`; raises UsageError with the words that are known."""
    if not name or not isinstance(name, str):
        raise UsageError("define_metric() needs the name of a metric")
    if "*" in name[:-1]:
        raise UsageError(f"define_metric({name!r}): a * may stand at the end only")
    axis = step_metric.name if isinstance(step_metric, Definition) else step_metric
    if axis is not None and (not isinstance(axis, str) or "*" in axis):
        raise UsageError(f"define_metric({name!r}): step_metric must be the name of a logged value, not {axis!r}")
    words = tuple(word.strip().lower() for word in (summary or "").split(",") if word.strip())
    kept = tuple(_aggregate(word, name, goal) for word in words if word != "copy")
    synced = step_sync if step_sync is not None else axis is not None
    return Definition(name, axis, synced, bool(hidden), kept)


def _aggregate(word: str, name: str, goal: str | None) -> str:
    if word == "best":
        warn_once('define_metric(summary="best") is old: write "min" or "max"', "summary best")
        return "max" if (goal or "").startswith("max") else "min"
    if word not in AGGREGATES:
        raise UsageError(f"define_metric({name!r}): summary {word!r} is not one of {', '.join(AGGREGATES)}")
    return word


class Definitions:
    """All definitions of a run. A name's own definition wins over one with ``*``, the longest of those first."""

    def __init__(self) -> None:
        self._by_name: dict[str, Definition] = {}
        self._found: dict[str, Definition | None] = {}
        self._axes: set[str] = set()
        self._last_axis: dict[str, Any] = {}

    def __bool__(self) -> bool:
        return bool(self._by_name)

    def add(self, new: Definition, *, overwrite: bool = False) -> Definition:
        """Adds a definition; without ``overwrite`` what an earlier call said of the same name stays."""
        old = self._by_name.get(new.name)
        if old is not None and not overwrite:
            new = Definition(
                new.name,
                new.step_metric or old.step_metric,
                new.step_sync or old.step_sync,
                new.hidden or old.hidden,
                new.summary or old.summary,
            )
        self._by_name[new.name] = new
        self._found.clear()
        self._axes = {d.step_metric for d in self._by_name.values() if d.step_metric is not None}
        return new

    def of(self, key: str) -> Definition | None:
        """The definition that speaks of ``key``."""
        if key not in self._found:
            globs = sorted((d for d in self._by_name.values() if d.name.endswith("*")), key=lambda d: -len(d.name))
            fitting = [d for d in globs if d.matches(key)]
            self._found[key] = self._by_name.get(key) or (fitting[0] if fitting else None)
        return self._found[key]

    def with_axes(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The row with the last value of each x axis that the script did not log itself this time."""
        row = dict(data)
        for key in data:
            found = self.of(key)
            if found is not None and found.step_sync and found.step_metric and found.step_metric not in row:
                last = self._last_axis.get(found.step_metric)
                if last is not None and found.step_metric != key:
                    row[found.step_metric] = last
        for key in self._axes:
            if key in data:
                self._last_axis[key] = data[key]
        return row

    def speak_of(self, keys: Iterable[str]) -> bool:
        """True if a row with these keys needs `with_axes` or a summary of its own."""
        return bool(self._by_name) and any(key in self._axes or self.of(key) is not None for key in keys)


class Aggregates:
    """Keeps min, max, mean, last, first of one key's finite and infinite values; NaN is left out."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self._n = 0
        self._sum = 0.0
        self._kept: dict[str, float] = {}

    def add(self, value: Any) -> None:
        """One more logged value; what is not a number changes nothing."""
        number = as_number(value)
        if number is None or math.isnan(number):
            return
        self._n += 1
        self._sum += number
        kept = self._kept
        kept["min"] = min(kept.get("min", number), number)
        kept["max"] = max(kept.get("max", number), number)
        kept["mean"] = self._sum / self._n
        kept["last"] = number
        kept.setdefault("first", number)

    def summary(self) -> dict[str, float]:
        """The wanted ones, by their words."""
        return {word: self._kept[word] for word in self.words if word in self._kept}
