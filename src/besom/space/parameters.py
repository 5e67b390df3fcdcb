"""A parameter: a place in the params and the distribution of its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from besom.space.distributions import Distribution

MISSING: Any = object()
"""What stands for a value that params do not hold."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One leaf of the search space.

    ``path`` leads to its value in the params: nested parameters have longer paths, a dotted name is one element.
    """

    path: tuple[str, ...]
    distribution: Distribution

    @property
    def name(self) -> str:
        """The path joined with dots."""
        return ".".join(self.path)

    @property
    def is_constant(self) -> bool:
        """True if the value is fixed by the config, so that nothing is searched."""
        return self.distribution.kind == "constant"

    def value_in(self, params: Mapping[str, Any]) -> Any:
        """The parameter's value in (nested) params; `MISSING` if they have none."""
        value: Any = params
        for name in self.path:
            if not isinstance(value, Mapping) or name not in value:
                return MISSING
            value = value[name]
        return value
