"""The keys of a rule in a sweep file, read one by one; every mistake is a ValueError with a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from besom.stopping.ladder import HIGHEST, Ladder, often

# What every rule takes.
COMMON: Mapping[str, str] = {
    "min_peers": "a run is not judged where fewer runs than this were, itself included",
    "grace": "rungs below this number are left out (0)",
    "nan": "`{patience: 5}` ends a run whose last 5 values were NaN or infinite, after a finite one",
}
# What those take that look often.
OFTEN: Mapping[str, str] = {
    "min_iter": "the first look (`grace`, else 1)",
    "every": "how far two looks lie apart at least (1); long runs are looked at each time they are a fifth longer",
}
RESOURCE: Mapping[str, str] = {"resource": "rungs are values of this key, logged with the metric, and not counts"}


class Options:
    """The keys that a sweep file gives to a rule. Raises ValueError for those that the rule does not take."""

    def __init__(self, rule: str, given: Mapping[str, Any], known: Mapping[str, str]) -> None:
        self._given = given
        for name in given:
            if name not in known:
                raise ValueError(f"{rule} has no `{name}`: it takes {', '.join(f'`{each}`' for each in known)}")

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number."""
        value = self._given.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= HIGHEST:
            raise ValueError(f"`{name}` must be a number up to {HIGHEST}, not {value!r}")
        return value

    def whole(self, name: str, *, least: int, default: int = 0) -> int:
        """A whole number, ``least`` or larger; 3.0 is one."""
        number = self.number(name, default)
        if number != int(number) or number < least:
            raise ValueError(f"`{name}` must be a whole number, {least} or larger, not {number}")
        return int(number)

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self._given.get(name, default)
        if not isinstance(value, bool):
            raise ValueError(f"`{name}` must be true or false, not {value!r}")
        return value

    def eta(self) -> float:
        """The factor between two rungs, of which the inverse is the part of the runs that goes on."""
        eta = self.number("eta", 3)
        if eta <= 1:
            raise ValueError(f"`eta` must be above 1, not {eta}: 3 keeps the best third")
        return eta

    def min_peers(self, default: int) -> int:
        """How many runs must have been at a rung before one is judged there."""
        return self.whole("min_peers", least=1, default=default)

    def grace(self) -> int:
        """Below which rung nobody is judged."""
        return self.whole("grace", least=0)

    def looks(self, metric_name: str) -> Ladder:
        """Rungs of a rule that looks often: from ``min_iter`` on, ``every`` apart at least."""
        first = self.whole("min_iter", least=1, default=max(self.grace(), 1))
        return self.ladder(often(first, self.whole("every", least=1, default=1)), metric_name)

    def ladder(self, rungs: Sequence[int], metric_name: str) -> Ladder:
        """The rungs that ``grace`` leaves, measured by ``resource``."""
        grace = self.grace()
        left = [rung for rung in rungs if rung >= grace]
        if not left:
            raise ValueError(f"`grace` {grace} leaves no rung, so no run would ever be judged: write a smaller one")
        resource = self._given.get("resource")
        if resource is not None and not (isinstance(resource, str) and resource):
            raise ValueError(f"`resource` must be the name of a logged key, not {resource!r}")
        if resource == metric_name:
            raise ValueError(f"`resource` must be another key than the metric: name what {metric_name} is logged with")
        return Ladder(tuple(left), resource)
