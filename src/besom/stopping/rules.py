"""The early-stopping rules by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from besom.metric import Metric
from besom.stopping.hyperband import Hyperband
from besom.stopping.stopper import Stopper

RULES: dict[str, type[Hyperband]] = {"hyperband": Hyperband}
"""Each class names the keys that it takes in ``options``."""


def make_stoppers(early_terminate: Sequence[Mapping[str, Any]], metric: Metric | None) -> list[Stopper]:
    """The stoppers of a sweep. Raises ValueError with a sentence for options that make no sense."""
    return [_make(options, metric) for options in early_terminate]


def _make(options: Mapping[str, Any], metric: Metric | None) -> Stopper:
    name = options.get("type")
    if not isinstance(name, str) or name not in RULES:
        raise ValueError(f"there is no stopping rule {name!r}: write `type: {' or '.join(RULES)}`")
    if metric is None:
        raise ValueError("early_terminate needs a `metric`: name what the runs log")
    return RULES[name].from_options({key: value for key, value in options.items() if key != "type"}, metric)
