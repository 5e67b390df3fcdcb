"""Sentences that tell people what looks wrong with a run, and how its runs are called."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from besom.space import SearchSpace

MOST_KEYS = 12
MOST_NAME = 60


def metric_never_logged(metric_name: str, keys: Sequence[str]) -> str:
    """The remark on a finished run that never logged the sweep's metric."""
    if not keys:
        return f"metric `{metric_name}` was never logged; nothing was logged at all"
    shown = ", ".join(keys[:MOST_KEYS]) + (", …" if len(keys) > MOST_KEYS else "")
    return f"metric `{metric_name}` was never logged; logged keys: {shown}"


def never_read(swept: Sequence[str], read: Collection[str]) -> Iterator[str]:
    """One remark for each swept name that the script neither read nor parsed."""
    for name in swept:
        if name not in read and not any(other.startswith(f"{name}.") for other in read):
            yield (
                f"`{name}` was set by the sweep but never read by the script: read it from besom.config "
                f"(or its command-line flag --{name}), else all values of it train the same"
            )


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
