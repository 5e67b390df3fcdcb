"""The words of which reasons are made: every number stands in it, in as few digits as tell it apart."""

from __future__ import annotations

from besom.metric import Metric

_PARTS = dict(enumerate(("half", "third", "quarter", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"), 2))


def worse(metric: Metric, value: float, limit: float, *, remark: str = "") -> str:
    """``0.61 is above 0.44``, with a remark behind the first number; below, where larger is better."""
    shown, other = unlike(value, limit)
    return f"{shown}{remark} is {worse_side(metric)} {other}"


def worse_side(metric: Metric) -> str:
    """On which side of a good value a bad one lies."""
    return "above" if metric.goal == "minimize" else "below"


def better_side(metric: Metric) -> str:
    """On which side of a value a better one lies."""
    return "below" if metric.goal == "minimize" else "above"


def part(eta: float) -> str:
    """1/eta in words where there is a word for it."""
    return _PARTS[int(eta)] if eta in _PARTS else f"1/{eta:g}"


def short(value: float) -> str:
    """A number in four digits."""
    # Adding 0.0 makes 0 of -0.
    return f"{value + 0.0:.4g}"


def unlike(one: float, other: float) -> tuple[str, str]:
    """Two different numbers in four digits, or in as many as it takes to see that they differ."""
    texts = [(f"{one + 0.0:.{digits}g}", f"{other + 0.0:.{digits}g}") for digits in range(4, 18)]
    return next(pair for pair in texts if pair[0] != pair[1])
