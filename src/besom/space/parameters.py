"""A parameter: a place in the params and the distribution of its values."""

from __future__ import annotations

from dataclasses import dataclass

from besom.space.distributions import Distribution


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
