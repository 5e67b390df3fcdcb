"""Sentences that tell people what looks wrong with a run, and how its runs are called."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from besom.common.json_numbers import NON_FINITE, dumps
from besom.common.wording import unread_sentence
from besom.space import SearchSpace

MOST_KEYS = 12
MOST_NAME = 60
MOST_VALUE = 40


def metric_never_logged(metric_name: str, keys: Sequence[str]) -> str:
    """The remark on a finished run that never logged the sweep's metric."""
    if not keys:
        return f"metric `{metric_name}` was never logged; nothing was logged at all"
    shown = ", ".join(keys[:MOST_KEYS]) + (", …" if len(keys) > MOST_KEYS else "")
    return f"metric `{metric_name}` was never logged; logged keys: {shown}"


def metric_without_number(metric_name: str, last: Any) -> str:
    """The remark on a finished run whose metric was never a finite number; ``last`` is its last value as JSON."""
    shown = last if isinstance(last, str) and last in NON_FINITE else dumps(last)
    shown = shown if len(shown) <= MOST_VALUE else shown[: MOST_VALUE - 1] + "…"
    return f"metric `{metric_name}` was never a finite number (its last value: {shown}): the run has no score"


def never_read(swept: Sequence[str], read: Collection[str]) -> Iterator[str]:
    """The remark on swept names that the script neither read nor parsed, if there are any."""
    unread = [name for name in swept if name not in read and not any(other.startswith(f"{name}.") for other in read)]
    if unread:
        yield unread_sentence(unread)


def records_lost(count: int) -> str:
    """The remark on a run whose script could not write some of what it logged."""
    verb, noun = ("are", "records") if count > 1 else ("is", "record")
    return f"{count} {noun} of its script could not be written (a full disk?) and {verb} lost"


def run_display_name(params: Mapping[str, Any], space: SearchSpace, number: int) -> str:
    """``lr=0.001 batch_size=64``: the swept values, cut at 60 characters; ``run 3`` if there is none."""
    swept = [parameter for parameter in space.parameters if parameter.distribution.kind != "constant"]
    text = " ".join(f"{parameter.name}={_short(_value(params, parameter.path))}" for parameter in swept)
    return (text or f"run {number + 1}") if len(text) <= MOST_NAME else text[: MOST_NAME - 1] + "…"


def _value(params: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        params = params[part]
    return params


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
