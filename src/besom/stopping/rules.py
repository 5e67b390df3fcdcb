"""The early-stopping rules by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from besom.metric import Metric
from besom.stopping.asha import Asha
from besom.stopping.hyperband import Hyperband
from besom.stopping.median import Median
from besom.stopping.nan import Nan
from besom.stopping.percentile import Percentile
from besom.stopping.plateau import Plateau
from besom.stopping.stopper import Stopper
from besom.stopping.threshold import Threshold


class Kind(Protocol):
    """A rule's class: the keys that it takes in a sweep file, with their help, and how it is made of them."""

    @property
    def options(self) -> Mapping[str, str]:
        """Each key with its help."""

    def from_options(self, given: Mapping[str, Any], metric: Metric) -> Stopper:
        """From the keys of a sweep file without ``type``. Raises ValueError with a sentence."""


RULES: dict[str, Kind] = {
    "hyperband": Hyperband,
    "asha": Asha,
    "median": Median,
    "percentile": Percentile,
    "threshold": Threshold,
    "plateau": Plateau,
    "nan": Nan,
}


def make_stoppers(early_terminate: Sequence[Mapping[str, Any]], metric: Metric | None) -> list[Stopper]:
    """The stoppers of a sweep. Raises ValueError with a sentence for options that make no sense."""
    return [stopper for options in early_terminate for stopper in _make(options, metric)]


def _make(options: Mapping[str, Any], metric: Metric | None) -> Iterator[Stopper]:
    name = options.get("type")
    if not isinstance(name, str) or name not in RULES:
        raise ValueError(f"there is no stopping rule {name!r}: write `type: hyperband`, or one of {', '.join(RULES)}")
    if metric is None:
        raise ValueError("early_terminate needs a `metric`: name what the runs log")
    kind = RULES[name]
    own = {key: value for key, value in options.items() if key != "type"}
    # As a key of another rule, `nan` is a rule of its own.
    streaks = None if kind is Nan else own.pop("nan", None)
    yield kind.from_options(own, metric)
    if streaks is not None:
        yield Nan.from_key(streaks, metric)
