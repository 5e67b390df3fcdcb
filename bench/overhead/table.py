"""Samples become lines: Besom's figure, the peer's, their ratio, the bar, and whether it is held."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

HEAD = "| measure | Besom | against | ratio | bar | |\n| --- | ---: | --- | ---: | --- | --- |\n"


@dataclass(frozen=True)
class Line:
    """One comparison. The bar is about the ratio to ``other``, or, without one, about Besom's figure itself.

    None where a contender was left out: then there is no ratio and no verdict.
    """

    what: str
    besom: float | None
    unit: str
    against: str = ""
    other: float | None = None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def ratio(self) -> float | None:
        """Besom's figure as a multiple of the other; None where there is nothing to compare with."""
        if self.other is None or self.besom is None:
            return None
        return self.besom / self.other if self.other else float("inf")

    @property
    def held(self) -> bool | None:
        """Whether the bar is held; None without a bar."""
        value = self.ratio if self.against else self.besom
        if value is None:
            return None
        if self.at_most is not None:
            return value <= self.at_most
        if self.at_least is not None:
            return value >= self.at_least
        return None

    @property
    def bar(self) -> str:
        """The bar in words."""
        limit = self.at_most if self.at_most is not None else self.at_least
        if limit is None:
            return ""
        sign = "≤" if self.at_most is not None else "≥"
        return f"{sign} {multiple(limit) if self.against else quantity(limit, self.unit)}"

    def markdown(self) -> str:
        """The line of the table."""
        ours = "not measured" if self.besom is None else quantity(self.besom, self.unit)
        left_out = ", left out" if self.against else ""
        other = left_out if self.other is None else f" {quantity(self.other, self.unit)}"
        ratio = "" if self.ratio is None else multiple(self.ratio)
        verdict = {True: "held", False: "**short**", None: ""}[self.held]
        cells = (self.what, ours, f"{self.against}{other}", ratio, self.bar, verdict)
        return f"| {' | '.join(cells)} |\n"


def table(lines: Iterable[Line]) -> str:
    """All lines as a Markdown table."""
    return HEAD + "".join(line.markdown() for line in lines)


def quantity(value: float, unit: str) -> str:
    """A number for people, three figures of it."""
    if value == 0:
        text = "0"
    elif abs(value) >= 100 or value == int(value):
        text = f"{value:,.0f}"
    else:
        text = f"{value:.3g}"
    return f"{text} {unit}".rstrip()


def multiple(ratio: float) -> str:
    """A ratio as people say it: 1/25, 3.1×."""
    if 0 < ratio < 0.5:
        return f"1/{1 / ratio:.3g}"
    return f"{ratio:.3g}×"
