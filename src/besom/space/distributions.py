"""The kinds of distributions that a sweep file can name, and how one is made from its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any, Protocol

from besom.space.continuous import Beta, LogNormal, LogUniform, Normal, Uniform
from besom.space.discrete import Categorical, Constant, IntUniform, WeightedCategorical
from besom.space.options import BadOption, Option
from besom.space.quantized import quantized


class Distribution(Protocol):
    """The law of one parameter's values. All values are plain Python."""

    @property
    def kind(self) -> str:
        """The name in sweep files, such as ``log_uniform_values``."""

    @property
    def scale(self) -> str:
        """On which scale values are spread: ``linear``, ``log``, ``categorical`` or ``constant``."""

    def quantile(self, u: float) -> Any:
        """The value below which the part ``u`` of all draws lies; 0 < u < 1."""

    def contains(self, value: Any) -> bool:
        """True if the distribution can give this value."""

    def bounds_text(self) -> str:
        """What can come out, for people: ``0.0001 … 0.1``."""

    def grid_values(self) -> Sequence[Any] | None:
        """The values on a grid, each once, indexable at no cost; None: not allowed on a grid."""

    def finite_values(self) -> Sequence[Any] | None:
        """The values that random draws can reach, each once, indexable at no cost; None: without end."""

    def finite_weights(self) -> Sequence[float] | None:
        """How often each of `finite_values` is drawn, in any unit; None: all alike."""

    def finite_index(self, u: float) -> int:
        """Where `quantile` of ``u`` stands in `finite_values`; only where these are not None."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of `KINDS`: the options of a distribution and its law in a line.

    ``replaced_by`` names the kind to write instead of a deprecated one.
    """

    name: str
    summary: str
    options: tuple[Option, ...]
    make: Callable[..., Distribution]
    replaced_by: str = ""

    def option(self, name: str) -> Option | None:
        """The option of that name, if there is one."""
        return next((option for option in self.options if option.name == name), None)


_MIN = Option("min", "number", "smallest value")
_MAX = Option("max", "number", "largest value")
_INT_MIN = Option("min", "integer", "smallest value, included")
_INT_MAX = Option("max", "integer", "largest value, included")
_ABOVE_0 = Option("min", "number", "smallest value, above 0")
_LN_MIN = Option("min", "number", "natural logarithm of the smallest value")
_LN_MAX = Option("max", "number", "natural logarithm of the largest value")
_INV_MIN = Option("min", "number", "natural logarithm of 1 / largest value")
_INV_MAX = Option("max", "number", "natural logarithm of 1 / smallest value")
_MU = Option("mu", "number", "mean", 0.0)
_SIGMA = Option("sigma", "number", "standard deviation, 0 or larger", 1.0)
_LN_MU = Option("mu", "number", "mean of the logarithm", 0.0)
_LN_SIGMA = Option("sigma", "number", "standard deviation of the logarithm, 0 or larger", 1.0)
_A = Option("a", "number", "first shape, 0 or larger", 1.0)
_B = Option("b", "number", "second shape, 0 or larger", 1.0)
_Q = Option("q", "number", "values are multiples of it; a whole q without a point gives whole numbers", 1.0)
_VALUE = Option("value", "anything", "the value of every run")
_VALUES = Option("values", "list", "the values to choose from; a value listed twice is drawn twice as often")
_PROBABILITIES = Option("probabilities", "list", "how likely each of the values is; they add up to 1")


def _kinds() -> list[Kind]:
    return [
        Kind("constant", "one fixed value", (_VALUE,), Constant),
        Kind("categorical", "each listed value alike", (_VALUES,), Categorical),
        Kind(
            "categorical_w_probabilities",
            "listed values with probabilities",
            (_VALUES, _PROBABILITIES),
            WeightedCategorical,
        ),
        Kind("int_uniform", "whole numbers, both ends included", (_INT_MIN, _INT_MAX), IntUniform),
        Kind("uniform", "evenly between min and max", (_MIN, _MAX), Uniform),
        Kind("q_uniform", "uniform, in steps of q", (_MIN, _MAX, _Q), quantized("q_uniform", Uniform)),
        Kind(
            "log_uniform",
            "the logarithm is even between min and max",
            (_LN_MIN, _LN_MAX),
            LogUniform.from_exponents,
            "log_uniform_values",
        ),
        Kind(
            "log_uniform_values",
            "the logarithm is even between ln min and ln max",
            (_ABOVE_0, _MAX),
            LogUniform.from_values,
        ),
        Kind(
            "q_log_uniform",
            "log_uniform, in steps of q",
            (_LN_MIN, _LN_MAX, _Q),
            quantized("q_log_uniform", partial(LogUniform.from_exponents, instead="q_log_uniform_values")),
            "q_log_uniform_values",
        ),
        Kind(
            "q_log_uniform_values",
            "log_uniform_values, in steps of q",
            (_ABOVE_0, _MAX, _Q),
            quantized("q_log_uniform_values", LogUniform.from_values),
        ),
        Kind(
            "inv_log_uniform",
            "the logarithm of 1/x is even between min and max",
            (_INV_MIN, _INV_MAX),
            LogUniform.from_inverse_exponents,
            "inv_log_uniform_values",
        ),
        Kind(
            "inv_log_uniform_values",
            "the logarithm of 1/x is even; the same law as log_uniform_values",
            (_ABOVE_0, _MAX),
            LogUniform.from_inverse_values,
        ),
        Kind("normal", "normal, without bounds", (_MU, _SIGMA), Normal),
        Kind("q_normal", "normal, in steps of q", (_MU, _SIGMA, _Q), quantized("q_normal", Normal)),
        Kind("log_normal", "the logarithm is normal", (_LN_MU, _LN_SIGMA), LogNormal),
        Kind(
            "q_log_normal",
            "log_normal, in steps of q",
            (_LN_MU, _LN_SIGMA, _Q),
            quantized("q_log_normal", LogNormal),
        ),
        Kind("beta", "Beta(a, b) between 0 and 1", (_A, _B), Beta),
        Kind("q_beta", "beta, in steps of q", (_A, _B, _Q), quantized("q_beta", Beta)),
    ]


KINDS: dict[str, Kind] = {kind.name: kind for kind in _kinds()}
"""Every kind by its name in sweep files (`parameters`, the nested kind, is no distribution)."""


def make_distribution(kind: str, options: Mapping[str, Any]) -> Distribution:
    """The distribution ``kind`` with these options (all keys of the parameter but ``distribution``).

    Raises ValueError (`BadOption` where one option is to blame) with a sentence that says what to write instead.
    """
    row = _row(kind)
    values, problems = _read(row, options)
    if problems:
        raise problems[0]
    return row.make(**values)


def check_options(kind: str, options: Mapping[str, Any]) -> list[BadOption]:
    """Everything that is wrong with the options of a known kind; empty if `make_distribution` accepts them."""
    row = _row(kind)
    values, problems = _read(row, options)
    if not problems:
        try:
            row.make(**values)
        except BadOption as problem:
            return [problem]
    return problems


def _row(kind: str) -> Kind:
    if kind not in KINDS:
        close = get_close_matches(kind, KINDS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "write one of " + ", ".join(KINDS)
        raise ValueError(f"there is no distribution {kind!r}: {hint}")
    return KINDS[kind]


def _read(row: Kind, options: Mapping[str, Any]) -> tuple[dict[str, Any], list[BadOption]]:
    """The options in their types, defaults filled in, and one problem for each that cannot be used."""
    values: dict[str, Any] = {}
    problems: list[BadOption] = []
    for option in row.options:
        if option.name in options:
            try:
                values[option.name] = option.read(options[option.name])
            except BadOption as problem:
                problems.append(problem)
        elif option.required:
            problems.append(BadOption(option.name, f"{row.name} needs `{option.name}`: {option.help}"))
        else:
            values[option.name] = option.default
    known = ", ".join(f"`{option.name}`" for option in row.options)
    problems += [
        BadOption(name, f"{row.name} has no `{name}`: it takes {known}") for name in options if row.option(name) is None
    ]
    return values, problems
