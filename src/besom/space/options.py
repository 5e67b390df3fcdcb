"""The options of a distribution: what each may be, and the sentence when it is not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

# Beyond this, sums and products of options could overflow into inf.
LARGEST = 1e300
REQUIRED: Any = object()


class BadOption(ValueError):
    """An option that cannot be used; ``option`` is its name, the text is a sentence for people."""

    def __init__(self, option: str, sentence: str) -> None:
        self.option = option
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Option:
    """One key beside ``distribution``: its type, its meaning, and its default (`REQUIRED`: there is none)."""

    name: str
    type: Literal["number", "integer", "list", "anything"]
    help: str
    default: Any = REQUIRED

    @property
    def required(self) -> bool:
        """True if the distribution cannot do without it."""
        return self.default is REQUIRED

    def read(self, value: Any) -> Any:
        """The value in the option's type; raises BadOption when it has another."""
        if self.type == "number":
            return self._number(value)
        if self.type == "integer":
            return self._integer(value)
        if self.type == "list":
            return self._list(value)
        return value

    def _number(self, value: Any) -> int | float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            hint = ": write it without quotes" if _reads_as_number(value) else ""
            raise BadOption(self.name, f"`{self.name}` must be a number, not {shown(value)}{hint}")
        # Compared before it becomes a float, as a long int cannot become one.
        if not -LARGEST <= value <= LARGEST:
            raise BadOption(self.name, f"`{self.name}` must be a number between -1e300 and 1e300, not {shown(value)}")
        return value

    def _integer(self, value: Any) -> int:
        number = self._number(value)
        if number != math.floor(number):
            raise BadOption(self.name, f"`{self.name}` must be a whole number, not {shown(value)}")
        return int(number)

    def _list(self, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)) or not value:
            raise BadOption(self.name, f"`{self.name}` must be a list with at least one item, not {shown(value)}")
        return tuple(value)


def shown(value: Any, width: int = 40) -> str:
    """The value as a message shows it, cut when it is long."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**width else "a number with many digits"
    return text if len(text) <= width else text[: width - 1] + "…"


def _reads_as_number(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True
